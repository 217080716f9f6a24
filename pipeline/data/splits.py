"""Which split a row belongs to: a salted hash of its group decides, so new rows never move old ones.

A group is an entity, closed over rows of the same name, over near-duplicates and over links between tables. Does not
know questions or files.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from attar.runtime.errors import DataError

from .duplicates import JACCARD, NearDuplicates, shingles_of
from .forest import Forest
from .schema import TableSchema

__all__ = ["SPLITS", "RowSplits", "group_key", "split_of", "split_rows"]

SPLITS = ("train", "test")
_LARGEST_SHARE = 0.05
_SMALL = 20
_LISTED = 5


@dataclass
class RowSplits:
    """The rows of a table by split.

    Attributes:
        rows: Split to the numbers of its rows, in the table's order.
        groups: How many groups each split has.
        near_duplicates: How many rows nearly repeat an earlier row and so went where that one is.
        left_out: Numbers of the rows that would have joined groups of both splits, as they nearly repeat, or name,
            rows of both.
        unnamed: How many rows were left out because they have no name.
    """

    rows: dict[str, list[int]] = field(default_factory=lambda: {split: [] for split in SPLITS})
    groups: dict[str, int] = field(default_factory=dict)
    near_duplicates: int = 0
    left_out: list[int] = field(default_factory=list)
    unnamed: int = 0

    @property
    def looked_at(self) -> int:
        """How many rows there were to part."""
        return sum(map(len, self.rows.values())) + len(self.left_out) + self.unnamed


def split_of(entity: str, *, salt: str, test_share: float) -> str:
    """The split of an entity, "train" or "test".

    Args:
        entity: Table label and entity name; case and spacing do not matter.
        salt: Another salt gives another split.
        test_share: Fraction of entities in the test split, 0 to 1.
    """
    digest = hashlib.sha256(f"{salt}\x00{_folded(entity)}".encode()).digest()
    return "test" if int.from_bytes(digest[:8], "big") < test_share * 2**64 else "train"


def group_key(label: str, entity: str) -> str:
    """What rows of the same name share; case and spacing do not matter."""
    return _folded(f"{label}: {entity}")


def split_rows(
    schema: TableSchema,
    rows: Iterable[tuple[int, Mapping[str, object]]],
    *,
    salt: str,
    test_share: float,
    near_duplicates: bool = True,
    ties: Callable[[Mapping[str, object]], Sequence[str]] = lambda row: (),
    taken: dict[str, str] | None = None,
) -> RowSplits:
    """The split of every row that has a name; rows taken in order, none that was taken is ever moved.

    Args:
        schema: What the columns mean.
        rows: Number and values of each row.
        salt: See :func:`split_of`.
        test_share: See :func:`split_of`.
        near_duplicates: Whether rows that nearly repeat earlier ones go where these are.
        ties: What a row shares with rows of other tables, or with others of this one, and goes where they are.
        taken: Tie or group to split, of tables that were parted before; those of this one are added.

    Raises:
        DataError: So many rows nearly repeat each other that the table has no groups to speak of.
    """
    parting = _Parting(
        schema, lambda key: split_of(key, salt=salt, test_share=test_share), near_duplicates, ties, taken
    )
    for number, row in rows:
        parting.take(number, row)
    parting.require_groups()
    kept = parting.found
    roots = {parting.groups.root(number): split for split in SPLITS for number in kept.rows[split]}
    kept.groups = {split: Counter(roots.values())[split] for split in SPLITS}
    return kept


class _Parting:
    """The rows that were taken so far, and their groups by name and near-duplicates."""

    def __init__(
        self,
        schema: TableSchema,
        split_of_key: Callable[[str], str],
        near_duplicates: bool,
        ties: Callable[[Mapping[str, object]], Sequence[str]],
        taken: dict[str, str] | None,
    ) -> None:
        self.found = RowSplits()
        self.groups: Forest[int] = Forest()
        self._schema, self._split_of_key, self._ties = schema, split_of_key, ties
        self._near = NearDuplicates() if near_duplicates else None
        self._taken = {} if taken is None else taken
        self._key: dict[int, str] = {}
        self._first: dict[str, int] = {}

    def take(self, number: int, row: Mapping[str, object]) -> None:
        entity = self._schema.entity_of(row)
        if entity is None:
            self.found.unnamed += 1
            return
        ties, key = self._ties(row), group_key(self._schema.label, entity)
        shingles = shingles_of(self._schema, row) if self._near else frozenset()
        alike = self._near.of(shingles) if self._near else []
        shared = [*ties, key, *(self._key[other] for other in alike)]
        splits = {self._taken[one] for one in shared if one in self._taken}
        if len(splits) > 1:
            self.found.left_out.append(number)
            return
        split = splits.pop() if splits else self._split_of_key(shared[0])
        self._taken.update(dict.fromkeys(shared, split))
        self.found.near_duplicates += bool(alike)
        self.found.rows[split].append(number)
        self._key[number] = key
        for other in (*alike, self._first.setdefault(key, number)):
            self.groups.join(other, number)
        if self._near:
            self._near.add(number, shingles)

    def require_groups(self) -> None:
        """Check that near-duplicates do not chain a good part of the table together."""
        keys: defaultdict[int, dict[str, int]] = defaultdict(dict)
        for number, key in self._key.items():
            keys[self.groups.root(number)].setdefault(key, number)
        largest = max(keys.values(), key=len, default={})
        if len(largest) <= max(_SMALL, _LARGEST_SHARE * len(self._first)):
            return
        listed = "; ".join(f"row {number}: {key}" for key, number in list(largest.items())[:_LISTED])
        raise DataError(
            f"{len(largest)} of {len(self._first)} entities of the table {self._schema.label!r} nearly repeat each "
            "other, so they can't be parted into training and test.",
            why=f"Their values are alike to {JACCARD:.0%} or more, one after the other: {listed}; and so on.",
            next_step="Leave the column in that tells rows apart, add columns, or take them as they are: "
            'data.near_duplicates = "keep".',
        )


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
