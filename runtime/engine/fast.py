"""The contract of the fast graph: keys and values are written in place, into buffers that are bound once.

Inputs: ``input_ids`` [B, T] int64, ``seqlens_k`` [B] int32 (tokens after this call, less one),
``total_sequence_length`` [1] int32, ``logits_from`` [1] int64, and for each layer ``past_key_values.N.key`` and
``.value`` [B, KV, capacity, head] fp32. Outputs: ``logits`` [B, R, V] and ``present.N.key`` and ``.value``, which
must be bound to the very buffers of the past. ``pipeline/export/fast`` writes such graphs. Does not know sampling
or stops.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession, OrtValue

from ..bundle import Architecture
from ..errors import BundleError, UsageError

__all__ = ["FastCache", "FastDecoder"]

_STEP = 256  # capacities are multiples of this many tokens, so that one buffer serves many generations
_SPARE = 2  # released buffers that are kept for the next generations


@dataclass(frozen=True)
class FastCache:
    """So many tokens of a buffer. An earlier one of the same buffer goes back to where it stood."""

    buffer: _Buffer
    length: int


class FastDecoder:
    """See :class:`~attar.runtime.engine.session.Decoder`.

    Raises:
        BundleError: The graph's inputs are not those of a decoder of this shape.
    """

    def __init__(self, session: InferenceSession, graph: Path, architecture: Architecture) -> None:
        self._session, self._architecture = session, architecture
        self._spare: list[_Buffer] = []
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
            fitting = [buffer for buffer in self._spare if buffer.capacity >= wanted]
            if fitting:
                buffer = min(fitting, key=lambda buffer: buffer.capacity)
                self._spare.remove(buffer)
                return FastCache(buffer, 0)
        rounded = min(-(-wanted // _STEP) * _STEP, context)
        return FastCache(_Buffer(self._session, self._architecture, rounded), 0)

    def forward(
        self, ids: Sequence[int], cache: FastCache, *, logits_from: int = -1
    ) -> tuple[NDArray[np.float32], FastCache]:
        end, buffer = cache.length + len(ids), cache.buffer
        if not ids or end > buffer.capacity:
            raise UsageError(f"{len(ids)} tokens after {cache.length} do not fit a cache of {buffer.capacity}.")
        return buffer.run(ids, end, logits_from), FastCache(buffer, end)

    def release(self, cache: FastCache) -> None:
        with self._sharing:
            self._spare = sorted([*self._spare, cache.buffer], key=lambda buffer: buffer.capacity)[-_SPARE:]


class _Buffer:
    """Keys and values of one sequence, and the binding that reads and writes them in place."""

    def __init__(self, session: InferenceSession, architecture: Architecture, capacity: int) -> None:
        self.capacity = capacity
        self._session, self._vocabulary = session, architecture.vocabulary_size
        self._binding = session.io_binding()
        self._bound: dict[str, NDArray[np.generic]] = {}
        shape = (1, architecture.key_value_heads, capacity, architecture.head_size)
        for layer in range(architecture.layers):
            for part in ("key", "value"):
                memory = OrtValue.ortvalue_from_numpy(np.zeros(shape, np.float32))  # shares numpy's memory
                self._binding.bind_ortvalue_input(f"past_key_values.{layer}.{part}", memory)
                self._binding.bind_ortvalue_output(f"present.{layer}.{part}", memory)

    def run(self, ids: Sequence[int], end: int, logits_from: int) -> NDArray[np.float32]:
        """Read ids that end at place ``end``; logits ``[R, V]``."""
        self._feed("input_ids", np.asarray([ids], np.int64))
        self._feed("seqlens_k", np.array([end - 1], np.int32))
        self._feed("total_sequence_length", np.array([end], np.int32))
        self._feed("logits_from", np.array([logits_from], np.int64))
        logits = self._logits(len(range(len(ids))[logits_from:]))
        self._session.run_with_iobinding(self._binding)
        return logits

    def _feed(self, name: str, values: NDArray[np.int64] | NDArray[np.int32]) -> None:
        """Write into what is bound where the shape is the same, else bind anew."""
        bound = self._bound.get(name)
        if bound is not None and bound.shape == values.shape:
            bound[...] = values
            return
        self._bound[name] = values
        self._binding.bind_ortvalue_input(name, OrtValue.ortvalue_from_numpy(values))

    def _logits(self, rows: int) -> NDArray[np.float32]:
        bound = self._bound.get("logits")
        if bound is None or bound.shape[1] != rows:
            self._bound["logits"] = bound = np.empty((1, rows, self._vocabulary), np.float32)
            self._binding.bind_ortvalue_output("logits", OrtValue.ortvalue_from_numpy(bound))
        logits: NDArray[np.float32] = bound[0]
        return logits
