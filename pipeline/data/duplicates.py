"""Near-duplicates: which earlier rows of a table say nearly the same as one, by the shingles of their values.

MinHash proposes pairs, the exact Jaccard index of their shingle sets decides, so that no row is taken for another
by a hash's luck. Whether two rows are near-duplicates depends on these two alone, never on the rest of the table.
Does not know splits, entities or files.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from .schema import TableSchema, written

if TYPE_CHECKING:
    from datasketch import MinHash

__all__ = ["JACCARD", "NearDuplicates", "shingles_of"]

JACCARD = 0.8
"""From which share of common shingles on two rows are near-duplicates."""
_SHINGLE = 5
_BANDS, _BAND = 16, 4  # finds a pair of Jaccard 0.8 in all but 2 of 10,000 cases
_SEED = 1
_NAME, _NAME_NUMBER = 3, 8
"""How often a shingle of the name counts, and a number in it at least."""


def shingles_of(schema: TableSchema, row: Mapping[str, object]) -> frozenset[str]:
    """What a row says, cut into runs of five characters of its written values, case folded.

    A word with a digit in it is one whole, which counts as much as a text of its length: one other digit makes
    another number, not a misspelling. A text that is shorter than a shingle is one itself. The name counts more than
    the rest, so that rows of few words are told apart by it, and rows of long texts are not.
    """
    columns = dict.fromkeys(column.name for column in schema.columns if column.name not in schema.entity)
    names = (written(row[name]) for name in schema.entity)
    values = (written(row[name]) for name in columns)
    found = {shingle for name in names if name for shingle in _cut(name, _NAME, _NAME_NUMBER)}
    found.update(shingle for value in values if value for shingle in _cut(value, 1, 1))
    return frozenset(found)


class NearDuplicates:
    """Rows seen so far, to be asked which of them a further one nearly repeats."""

    def __init__(self) -> None:
        self._buckets: dict[bytes, list[int]] = defaultdict(list)
        self._shingles: dict[int, frozenset[str]] = {}
        self._same: dict[frozenset[str], int] = {}
        self._empty: MinHash | None = None
        self._last: tuple[frozenset[str], list[bytes]] = (frozenset(), [])

    def of(self, shingles: frozenset[str]) -> list[int]:
        """Numbers of the earlier rows that are near-duplicates; of several that are equal, the first."""
        if not shingles:
            return []
        candidates = {number for band in self._bands(shingles) for number in self._buckets.get(band, ())}
        return sorted(number for number in candidates if self._alike(shingles, self._shingles[number]))

    def add(self, number: int, shingles: frozenset[str]) -> None:
        """Remember a row; one that equals an earlier row is found by way of that one."""
        if not shingles or shingles in self._same:
            return
        self._same[shingles] = number
        self._shingles[number] = shingles
        for band in self._bands(shingles):
            self._buckets[band].append(number)

    @staticmethod
    def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
        if min(len(one), len(other)) < JACCARD * max(len(one), len(other)):
            return False
        common = len(one & other)
        return common >= JACCARD * (len(one) + len(other) - common)

    def _bands(self, shingles: frozenset[str]) -> list[bytes]:
        """The keys under which a row is kept: each band of its signature."""
        if self._last[0] is shingles:
            return self._last[1]
        if self._empty is None:
            from datasketch import MinHash

            self._empty = MinHash(num_perm=_BANDS * _BAND, seed=_SEED, hashfunc=zlib.crc32)
        signature = self._empty.copy()
        signature.update_batch([shingle.encode() for shingle in shingles])
        values = signature.hashvalues
        bands = [bytes([band]) + values[band * _BAND : (band + 1) * _BAND].tobytes() for band in range(_BANDS)]
        self._last = (shingles, bands)
        return bands


def _cut(value: str, weight: int, number: int) -> Iterator[str]:
    """Shingles of one value, each ``weight`` times, a number at least ``number`` times."""
    words = value.casefold().split()
    numbers = {word for word in words if any(character.isdigit() for character in word)}
    for word in numbers:
        yield from (f"{word}\x00{part}" for part in range(max(number, len(word) - _SHINGLE + 1)))
    letters = " ".join(word for word in words if word not in numbers)
    if letters:
        runs = [letters[at : at + _SHINGLE] for at in range(max(1, len(letters) - _SHINGLE + 1))]
        yield from runs
        yield from (f"{run}\x01{part}" for part in range(1, weight) for run in runs)
