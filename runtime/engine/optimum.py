"""The contract of Optimum's graph: ``past_key_values.N.key`` in, a longer ``present.N.key`` out.

Cache tensors stay with onnxruntime, each step makes new ones, and they are copied only where tokens are taken back.
Does not know sampling or stops.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession, OrtValue

from ..bundle import Architecture
from ..errors import BundleError

__all__ = ["OptimumCache", "OptimumDecoder", "OptimumRows"]


@dataclass(frozen=True)
class OptimumCache:
    """Keys and values of the tokens seen so far, by the graph's input names."""

    tensors: dict[str, OrtValue]
    length: int

    def shortened(self, count: int) -> OptimumCache:
        """The same without its last ``count`` tokens."""
        length = self.length - count
        tensors = {name: _value(each.numpy()[:, :, :length].copy()) for name, each in self.tensors.items()}
        return OptimumCache(tensors, length)


class OptimumDecoder:
    """See :class:`~attar.runtime.engine.session.Decoder`.

    Raises:
        BundleError: The graph's inputs are not those of a decoder of this shape.
    """

    def __init__(self, session: InferenceSession, graph: Path, architecture: Architecture) -> None:
        self._session, self._architecture = session, architecture
        inputs = [value.name for value in session.get_inputs()]
        self._outputs = [value.name for value in session.get_outputs()]
        self._past = [name for name in inputs if name.startswith("past_key_values.")]
        self._takes_positions = "position_ids" in inputs
        if (
            "attention_mask" not in inputs
            or "logits" not in self._outputs
            or len(self._past) != 2 * architecture.layers
        ):
            raise BundleError("The graph is not the decoder that the manifest describes.", where=graph)

    def empty_cache(self, capacity: int | None = None) -> OptimumCache:
        shape = (1, self._architecture.key_value_heads, 0, self._architecture.head_size)
        return OptimumCache({name: _value(np.zeros(shape, np.float32)) for name in self._past}, 0)

    def forward(
        self, ids: Sequence[int], cache: OptimumCache, *, logits_from: int = -1
    ) -> tuple[NDArray[np.float32], OptimumCache]:
        end = cache.length + len(ids)
        feeds = {
            **cache.tensors,
            "input_ids": _value(np.asarray([ids], np.int64)),
            "attention_mask": _value(np.ones((1, end), np.int64)),
        }
        if self._takes_positions:
            feeds["position_ids"] = _value(np.arange(cache.length, end, dtype=np.int64)[None])
        results = dict(zip(self._outputs, self._session.run_with_ort_values(self._outputs, feeds), strict=True))
        logits: NDArray[np.float32] = results["logits"].numpy()[0]
        tensors = {name: results[name.replace("past_key_values", "present")] for name in self._past}
        return logits[logits_from:], OptimumCache(tensors, end)

    def release(self, cache: OptimumCache) -> None:
        """Nothing to keep: the next cache starts with no memory."""

    def rows(self) -> OptimumRows:
        return OptimumRows(self)


class OptimumRows:
    """See :class:`~attar.runtime.engine.session.Rows`. The graph knows no ragged batch, so each row is run alone."""

    def __init__(self, decoder: OptimumDecoder) -> None:
        self._decoder = decoder
        self._caches: list[OptimumCache] = []

    def __len__(self) -> int:
        return len(self._caches)

    def add(self) -> None:
        self._caches.append(self._decoder.empty_cache())

    def read(self, row: int, ids: Sequence[int], *, logits_from: int = -1) -> NDArray[np.float32]:
        logits, self._caches[row] = self._decoder.forward(ids, self._caches[row], logits_from=logits_from)
        return logits

    def forget(self, row: int, count: int) -> None:
        if count:
            self._caches[row] = self._caches[row].shortened(count)

    def step(self, tokens: Sequence[int | None]) -> NDArray[np.float32]:
        logits = [None if token is None else self.read(row, [token])[-1] for row, token in enumerate(tokens)]
        unknown = np.zeros_like(next(each for each in logits if each is not None))
        return np.stack([unknown if each is None else each for each in logits])

    def drop(self, row: int) -> None:
        last = self._caches.pop()
        if row < len(self._caches):
            self._caches[row] = last


def _value(array: NDArray[np.int64] | NDArray[np.float32]) -> OrtValue:
    return OrtValue.ortvalue_from_numpy(array)
