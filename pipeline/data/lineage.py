"""The proof of the splits, recounted from the samples that were written and the tables alone.

Takes nothing from how the rows were parted: groups, links and near-duplicates are found anew among the rows that
samples name. Does not know files.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from attar.runtime.errors import DataError

from .asking import Readable
from .duplicates import NearDuplicates, shingles_of
from .forest import Forest
from .links import Linked, Ties
from .samples import Sample
from .splits import SPLITS, group_key

__all__ = ["prove_splits"]

_Shown = Mapping[int, set[str]]
"""Number of a row to the splits that show it."""


def prove_splits(
    samples: Iterable[Sample], tables: Iterable[Linked], *, near_duplicates: bool = True
) -> dict[str, Any]:
    """Recount what the splits share; for samples whose answer follows from the records in their prompt.

    Args:
        samples: The samples as they were written, read one by one.
        tables: The tables that they were made from.
        near_duplicates: Whether near-duplicates were kept together, and so are to be looked for.

    Returns:
        Groups of each split (entities, closed over links and near-duplicates), shared groups, and near-duplicate
        pairs across splits (None where not looked for).

    Raises:
        DataError: The splits share a group or a near-duplicate, or a link can't be followed.
    """
    tables = [*tables]
    used, ties, groups = _used(samples), Ties(tables), Forest[str]()
    entities: dict[str, set[str]] = {split: set() for split in SPLITS}
    pairs = 0
    for table in tables:
        # A row that is not there is a fault of the sample, and verify names it.
        known = range(len(table.rows))
        shown = {n: found for n, found in used[table.schema.label, table.source_sha256].items() if n in known}
        for number, splits in shown.items():
            key = _key(table, number)
            for split in splits:
                entities[split].add(key)
            for tie in ties.of(table.schema.label, table.rows[number]):
                groups.join(key, tie)
        if near_duplicates:
            pairs += _join_near_duplicates(table, shown, groups)
    roots = {split: {groups.root(key) for key in keys} for split, keys in entities.items()}
    shared = roots["train"] & roots["test"]
    _require_apart([key for key in sorted(entities["test"]) if groups.root(key) in shared], len(shared), pairs)
    counts = {split: len(found) for split, found in roots.items()}
    return {"groups": counts, "shared_groups": 0, "near_duplicate_pairs_across": pairs if near_duplicates else None}


def _used(samples: Iterable[Sample]) -> Mapping[tuple[str, str], dict[int, set[str]]]:
    """Of each table, by its label and hash, the rows that stand in prompts."""
    used: defaultdict[tuple[str, str], dict[int, set[str]]] = defaultdict(dict)
    for sample in samples:
        if sample.mode == "grounded":
            rows = used[sample.table, sample.source_sha256]
            for number in (*sample.rows, *(donor for donors in sample.donors for donor in donors)):
                rows.setdefault(number, set()).add(sample.split)
    return used


def _join_near_duplicates(table: Readable, shown: _Shown, groups: Forest[str]) -> int:
    """Make one group of rows that nearly repeat each other; how many such pairs are across splits, equal rows once."""
    known, across = NearDuplicates(), 0
    for number in sorted(shown):
        shingles = shingles_of(table.schema, table.rows[number])
        for other in known.of(shingles):
            groups.join(_key(table, other), _key(table, number))
            across += len(shown[number] | shown[other]) > 1
        known.add(number, shingles)
    return across


def _key(table: Readable, number: int) -> str:
    return group_key(table.schema.label, table.schema.entity_of(table.rows[number]) or "")


def _require_apart(entities: list[str], groups: int, pairs: int) -> None:
    """Check that nothing is shared.

    Raises:
        DataError: Something is.
    """
    if groups or pairs:
        raise DataError(
            "The splits are not proved to be apart.",
            why=f"They share {groups} groups, with the entities {entities[:3]}, and {pairs} pairs of near-duplicate "
            "rows.",
            next_step="Build the samples anew; if it comes again, report it as a defect of attar.",
        )
