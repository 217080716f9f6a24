"""Memory of the fast graph: keys and values of some rows, and the bindings that read and write them in place.

A row is one sequence. Rows that follow one another can be run as one batch, each from where it stands, because the
first axis is theirs: a batch is a view, and nothing is copied. Does not know which rows are in use.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession, OrtValue

from ..bundle import Architecture

__all__ = ["Slab"]

_PIECE = 256
"""Tokens that are read at a time. The attention operator computes every pair of the tokens it reads, and masks half of
them: 512 tokens of the 30 % student take 58 ms at once and 53 in two pieces, 2,048 take 977 and 358 in eight."""


class Slab:
    """Keys and values ``[rows, KV, capacity, head]`` of each layer, fp32.

    Args:
        session: The graph.
        architecture: The model's shape.
        rows: Sequences that it can hold.
        capacity: Tokens that each of them can hold.
    """

    def __init__(self, session: InferenceSession, architecture: Architecture, rows: int, capacity: int) -> None:
        self.rows, self.capacity = rows, capacity
        self._session, self._architecture = session, architecture
        self._memory = {
            f"{layer}.{part}": np.zeros(self._shape(rows, capacity), np.float32)
            for layer in range(architecture.layers)
            for part in ("key", "value")
        }
        self._bound: dict[tuple[int, int], _Binding] = {}

    @property
    def size(self) -> int:
        """Bytes of the keys and values."""
        return sum(memory.nbytes for memory in self._memory.values())

    def run(
        self, first: int, ids: NDArray[np.int64], ends: Sequence[int], logits_from: int = -1
    ) -> NDArray[np.float32]:
        """Read tokens in rows that follow one another, many of them in pieces.

        Args:
            first: The first of the rows.
            ids: ``[B, T]``, ``T`` tokens for each of ``B`` rows.
            ends: The place of each row, ``[B]``, that its tokens end at.
            logits_from: The first of the ``T`` places whose logits are wanted, as in a slice.

        Returns:
            Logits ``[B, R, V]``, which the next call for these rows overwrites.
        """
        count, bound = ids.shape[1], self._binding(first, len(ids))
        if count <= _PIECE:
            return bound.run(ids, ends, logits_from)
        wanted = range(count)[logits_from:]
        *earlier, last = _pieces(count, wanted)
        for piece in earlier:
            bound.run(ids[:, piece], [end - count + piece.stop for end in ends], -1)
        return bound.run(ids[:, last], ends, wanted.start - last.start)

    def copy(self, source: int, target: int, length: int) -> None:
        """Give a row the first ``length`` tokens of another."""
        for memory in self._memory.values():
            memory[target, :, :length] = memory[source, :, :length]

    def grow(self, rows: int, capacity: int, lengths: Sequence[int]) -> None:
        """Make room for more rows or tokens; the first rows keep as many tokens as ``lengths`` says."""
        self._bound.clear()
        for name, old in self._memory.items():  # one after another, so that little stands in memory twice
            new = np.zeros(self._shape(rows, capacity), np.float32)
            for row, length in enumerate(lengths):
                new[row, :, :length] = old[row, :, :length]
            self._memory[name] = new
        self.rows, self.capacity = rows, capacity

    def _binding(self, first: int, rows: int) -> _Binding:
        where = first, rows
        if where not in self._bound:
            views = {name: memory[first : first + rows] for name, memory in self._memory.items()}
            self._bound[where] = _Binding(self._session, views, self._architecture.vocabulary_size)
        return self._bound[where]

    def _shape(self, rows: int, capacity: int) -> tuple[int, int, int, int]:
        return (rows, self._architecture.key_value_heads, capacity, self._architecture.head_size)


class _Binding:
    """Some rows of a slab bound to the graph's inputs and outputs, once; what is small is bound anew with its shape."""

    def __init__(self, session: InferenceSession, views: dict[str, NDArray[np.float32]], vocabulary_size: int) -> None:
        self._session, self._vocabulary_size = session, vocabulary_size
        self._binding = session.io_binding()
        self._shape: tuple[int, int, int] | None = None
        for name, view in views.items():
            memory = OrtValue.ortvalue_from_numpy(view)  # shares numpy's memory
            self._binding.bind_ortvalue_input(f"past_key_values.{name}", memory)
            self._binding.bind_ortvalue_output(f"present.{name}", memory)

    def run(self, ids: NDArray[np.int64], ends: Sequence[int], logits_from: int) -> NDArray[np.float32]:
        """See :meth:`Slab.run`. Step after step has one shape, and what Python does then counts beside the graph."""
        shape = (*ids.shape, logits_from)
        if shape != self._shape:
            self._bind(*shape)
            self._shape = shape
        self._ids[...] = ids
        self._last_places[...] = ends
        self._last_places -= 1
        self._total[0] = max(ends)
        self._session.run_with_iobinding(self._binding)
        return self._logits

    def _bind(self, rows: int, count: int, logits_from: int) -> None:
        places = len(range(count)[logits_from:])
        self._ids, self._last_places = np.empty((rows, count), np.int64), np.empty(rows, np.int32)
        self._total, self._logits_from = np.empty(1, np.int32), np.array([logits_from], np.int64)
        self._logits = np.empty((rows, places, self._vocabulary_size), np.float32)
        for name, array in {
            "input_ids": self._ids,
            "seqlens_k": self._last_places,
            "total_sequence_length": self._total,
            "logits_from": self._logits_from,
        }.items():
            self._binding.bind_ortvalue_input(name, OrtValue.ortvalue_from_numpy(array))
        self._binding.bind_ortvalue_output("logits", OrtValue.ortvalue_from_numpy(self._logits))


def _pieces(count: int, wanted: range) -> list[slice]:
    """``count`` places in about equal pieces, the last of which has all whose logits are wanted."""
    pieces = -(-count // _PIECE)
    inner = (count * piece // pieces for piece in range(1, pieces))
    bounds = [0, *(bound for bound in inner if bound <= wanted.start), count]
    return [slice(*pair) for pair in pairwise(bounds)]
