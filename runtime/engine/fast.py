"""The contract of the fast graph: keys and values are written in place, into memory that is bound once.

Inputs: ``input_ids`` [B, T] int64, ``seqlens_k`` [B] int32 (tokens after this call, less one),
``total_sequence_length`` [1] int32 (of the longest row), ``logits_from`` [1] int64, and for each layer
``past_key_values.N.key`` and ``.value`` [B, KV, capacity, head] fp32. Outputs: ``logits`` [B, R, V] and
``present.N.key`` and ``.value``, which must be bound to the very memory of the past. ``pipeline/export/fast`` writes
such graphs. Does not know sampling or stops.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession

from ..bundle import Architecture
from ..errors import BundleError, UsageError
from .slab import Slab

__all__ = ["FastCache", "FastDecoder", "FastRows"]

_BLOCK = 256  # capacities are multiples of this many tokens
_SPARE = 2  # released slabs that are kept for the next generations
_KEPT = 64 << 20  # bytes that rows keep when the last of them has ended


@dataclass(frozen=True)
class FastCache:
    """So many tokens of a slab with one row. An earlier one of the same slab goes back to where it stood."""

    slab: Slab
    length: int


class FastDecoder:
    """See :class:`~attar.runtime.engine.session.Decoder`.

    Raises:
        BundleError: The graph's inputs are not those of a decoder of this shape.
    """

    def __init__(self, session: InferenceSession, graph: Path, architecture: Architecture) -> None:
        self._session, self._architecture = session, architecture
        self._spare: list[Slab] = []
        self._sharing = threading.Lock()
        inputs = {value.name: value.shape for value in session.get_inputs()}
        past = [shape for name, shape in inputs.items() if name.startswith("past_key_values.")]
        heads = (architecture.key_value_heads, architecture.head_size)
        expected = {"input_ids", "seqlens_k", "total_sequence_length", "logits_from"}
        if (
            not expected <= inputs.keys()
            or len(past) != 2 * architecture.layers
            or any((shape[1], shape[3]) != heads for shape in past)
        ):
            raise BundleError("The graph is not the decoder that the manifest describes.", where=graph)

    def empty_cache(self, capacity: int | None = None) -> FastCache:
        context = self._architecture.context_length
        wanted = min(capacity or context, context)
        with self._sharing:
            fitting = [slab for slab in self._spare if slab.capacity >= wanted]
            if fitting:
                slab = min(fitting, key=lambda slab: slab.capacity)
                self._spare.remove(slab)
                return FastCache(slab, 0)
        return FastCache(Slab(self._session, self._architecture, 1, _rounded(wanted, context)), 0)

    def forward(
        self, ids: Sequence[int], cache: FastCache, *, logits_from: int = -1
    ) -> tuple[NDArray[np.float32], FastCache]:
        end, slab = cache.length + len(ids), cache.slab
        if not ids or end > slab.capacity:
            raise UsageError(f"{len(ids)} tokens after {cache.length} do not fit a cache of {slab.capacity}.")
        return slab.run(0, np.asarray([ids], np.int64), [end], logits_from)[0], FastCache(slab, end)

    def release(self, cache: FastCache) -> None:
        with self._sharing:
            self._spare = sorted([*self._spare, cache.slab], key=lambda slab: slab.capacity)[-_SPARE:]

    def rows(self) -> FastRows:
        return FastRows(self._session, self._architecture)


class FastRows:
    """See :class:`~attar.runtime.engine.session.Rows`. One slab for all, which grows as they do."""

    def __init__(self, session: InferenceSession, architecture: Architecture) -> None:
        self._session, self._architecture = session, architecture
        self._slab = self._empty()
        self._lengths: list[int] = []

    def __len__(self) -> int:
        return len(self._lengths)

    def add(self) -> None:
        if len(self._lengths) == self._slab.rows:
            self._slab.grow(2 * self._slab.rows, self._slab.capacity, self._lengths)
        self._lengths.append(0)

    def read(self, row: int, ids: Sequence[int], *, logits_from: int = -1) -> NDArray[np.float32]:
        self._reserve(self._lengths[row] + len(ids))
        self._lengths[row] += len(ids)
        ids_of_row, ends = np.asarray([ids], np.int64), [self._lengths[row]]
        logits: NDArray[np.float32] = self._slab.run(row, ids_of_row, ends, logits_from)[0]
        return logits

    def forget(self, row: int, count: int) -> None:
        self._lengths[row] -= count

    def step(self, tokens: Sequence[int | None]) -> NDArray[np.float32]:
        ends = [length + 1 for length in self._lengths]
        self._reserve(max(ends))
        ids = [0 if token is None else token for token in tokens]  # a row that waits reads it over with its next token
        self._lengths = [end - (token is None) for end, token in zip(ends, tokens, strict=True)]
        logits: NDArray[np.float32] = self._slab.run(0, np.array(ids, np.int64)[:, None], ends)[:, -1]
        return logits

    def drop(self, row: int) -> None:
        last = self._lengths.pop()
        if row < len(self._lengths):
            self._slab.copy(len(self._lengths), row, last)
            self._lengths[row] = last
        if not self._lengths and self._slab.size > _KEPT:
            self._slab = self._empty()

    def _reserve(self, end: int) -> None:
        context = self._architecture.context_length
        if end > self._slab.capacity:
            self._slab.grow(self._slab.rows, _rounded(end, context), self._lengths)

    def _empty(self) -> Slab:
        context = self._architecture.context_length
        return Slab(self._session, self._architecture, 1, _rounded(1, context))


def _rounded(wanted: int, context: int) -> int:
    return min(-(-wanted // _BLOCK) * _BLOCK, context)
