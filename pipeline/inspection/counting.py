"""Figures of one column, batch by batch, in memory that does not grow with the rows.

Hands on gaps, distinct values, lengths and the places of the longest. Does not know files, entities or pages.
"""

from __future__ import annotations

import datetime
import decimal
import heapq
import math
from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..data.schema import written
from .findings import Histogram

__all__ = ["MOST_PLACES", "ColumnTally", "Distinct", "histogram", "texts_of"]

MOST_PLACES = 10
"""Examples of one problem that are kept."""
_KEPT_HASHES = 1 << 16
"""Smallest hashes that are kept: counts are exact up to here, and beyond within half a percent or so."""
_BINS = 24


class Distinct:
    """How many different values there are.

    Beyond a limit it is estimated by the k-th smallest hash (K. Beyer, P. Haas, B. Reinwald, Y. Sismanis and
    R. Gemulla, "On synopses for distinct-value estimation under multiset operations", 2007).

    Args:
        kept: How many hashes to keep.
    """

    def __init__(self, kept: int = _KEPT_HASHES) -> None:
        self._limit = kept
        self._kept = np.empty(0, np.uint64)
        self._new: list[np.ndarray] = []
        self._waiting = 0
        self._exact = True

    def add(self, hashes: np.ndarray) -> None:
        """Count some more, given as 64-bit hashes; many at a time are merged, as each merge sorts all that are kept."""
        self._new.append(hashes if self._exact else hashes[hashes < self._kept[-1]])
        self._waiting += len(self._new[-1])
        if self._waiting > self._limit:
            self._merge()

    @property
    def exact(self) -> bool:
        """Whether all were counted."""
        self._merge()
        return self._exact

    @property
    def count(self) -> int:
        """How many there were."""
        if self.exact:
            return len(self._kept)
        return round((self._limit - 1) * 2.0**64 / float(self._kept[-1]))

    def _merge(self) -> None:
        if self._waiting:
            kept = np.unique(np.concatenate([self._kept, *self._new]))
            self._exact = self._exact and len(kept) <= self._limit
            self._kept = kept[: self._limit]
        self._new, self._waiting = [], 0


class ColumnTally:
    """What a full pass finds out about a column.

    Args:
        name: The column's name.

    Attributes:
        rows: How many were counted.
        gaps: How many of them have no value.
        type: Arrow's name of the type of the last batch.
        distinct: Counts its values.
        marked: What texts of it are that is worth a look, with how many and the rows of the first.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.rows = 0
        self.gaps = 0
        self.type = "null"
        self.distinct = Distinct()
        self.marked: dict[str, tuple[int, list[int]]] = {}
        self._longest: list[tuple[int, int]] = []

    @property
    def longest(self) -> list[tuple[int, int]]:
        """Characters and row of the longest texts, longest first."""
        return sorted(self._longest, reverse=True)

    def add(self, values: pa.Array, first: int) -> None:
        """Count the values of some rows, of which the first is row ``first``."""
        self.type = str(values.type)
        self.rows += len(values)
        texts = texts_of(values)
        self.gaps += texts.null_count
        self.distinct.add(_hashes(texts))
        if _is_text(values.type):
            lengths = pc.fill_null(pc.utf8_length(texts), 0).to_numpy(zero_copy_only=False)
            for place in _largest(lengths, MOST_PLACES):
                _push(self._longest, (int(lengths[place]), first + int(place)))
            for mark, found in _MARKS.items():
                self._mark(mark, found(texts), first)

    def _mark(self, mark: str, found: pa.Array, first: int) -> None:
        places = pc.indices_nonzero(pc.fill_null(found, False)).to_numpy(zero_copy_only=False)
        if len(places):
            count, rows = self.marked.get(mark, (0, []))
            rows += [first + int(place) for place in places[: MOST_PLACES - len(rows)]]
            self.marked[mark] = (count + len(places), rows)


_MARKS: dict[str, Callable[[pa.Array], pa.Array]] = {
    "begin like a formula": lambda texts: pc.match_substring_regex(texts, "^=[A-Za-z(+-]"),
    "hold characters that could not be read": lambda texts: pc.match_substring(texts, "\ufffd"),
}
"""What a text can be that is worth a look, and which of many texts are."""


def texts_of(values: pa.Array) -> pa.Array:
    """Values as texts that tell them apart, NULL where nothing is recorded."""
    if _is_text(values.type):
        texts = pc.utf8_trim_whitespace(values)
        return pc.if_else(pc.equal(texts, ""), pa.scalar(None, texts.type), texts)
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
    if pa.types.is_nested(values.type) or pa.types.is_binary(values.type) or pa.types.is_large_binary(values.type):
        return pa.array([written(value) for value in values.to_pylist()], pa.string())
    return values.cast(pa.string())


def histogram(values: Sequence[object]) -> Histogram | None:
    """Numbers or dates in bins of equal width; None where there are other values, or no two that differ."""
    if all(isinstance(value, datetime.date) for value in values):
        return _binned([value.toordinal() for value in values if isinstance(value, datetime.date)], _day)
    if all(isinstance(value, int | float | decimal.Decimal) and not isinstance(value, bool) for value in values):
        return _binned([float(value) for value in values if isinstance(value, int | float | decimal.Decimal)], _number)
    return None


def _binned(values: Sequence[float], write: Callable[[float], str]) -> Histogram | None:
    finite = np.asarray([value for value in values if math.isfinite(value)], float)
    if len(finite) == 0 or finite.min() == finite.max():
        return None
    counts, _ = np.histogram(finite, bins=_BINS)
    return Histogram(write(float(finite.min())), write(float(finite.max())), [int(count) for count in counts])


def _day(ordinal: float) -> str:
    return datetime.date.fromordinal(int(ordinal)).isoformat()


def _number(value: float) -> str:
    return f"{value:,.10g}"


def _hashes(texts: pa.Array) -> np.ndarray:
    """64-bit hashes of the texts that are there, the same in every process."""
    from pandas.util import hash_array

    values = texts.drop_null().to_numpy(zero_copy_only=False).astype(object)
    return np.asarray(hash_array(values, categorize=False), np.uint64)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _largest(lengths: np.ndarray, count: int) -> np.ndarray:
    if len(lengths) <= count:
        return np.arange(len(lengths))
    return np.argpartition(lengths, -count)[-count:]


def _push(heap: list[tuple[int, int]], item: tuple[int, int]) -> None:
    if len(heap) < MOST_PLACES:
        heapq.heappush(heap, item)
    else:
        heapq.heappushpop(heap, item)
