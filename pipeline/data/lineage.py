"""The proof of the splits, recounted from the samples that were written and the tables alone.

Takes nothing from how the rows were parted: groups and near-duplicates are found anew among the rows that samples
name. Does not know files.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from attar.runtime.errors import DataError

from .asking import Readable
from .duplicates import NearDuplicates, shingles_of
from .samples import Sample
from .splits import SPLITS, group_key

__all__ = ["prove_splits"]


def prove_splits(
    samples: Iterable[Sample], tables: Iterable[Readable], *, near_duplicates: bool = True
) -> dict[str, Any]:
    """Recount what the splits share; for samples whose answer follows from the records in their prompt.

    Args:
        samples: The samples as they were written, read one by one.
        tables: The tables that they were made from.
        near_duplicates: Whether near-duplicates were kept together, and so are to be looked for.

    Returns:
        Groups of each split, shared groups, and near-duplicate pairs across splits (None where not looked for).

    Raises:
        DataError: The splits share an entity or a near-duplicate.
    """
    used: defaultdict[tuple[str, str], dict[str, set[int]]] = defaultdict(lambda: {split: set() for split in SPLITS})
    for sample in samples:
        if sample.mode == "grounded":
            numbers = used[sample.table, sample.source_sha256][sample.split]
            numbers.update(sample.rows, *sample.donors)
    groups: dict[str, set[str]] = {split: set() for split in SPLITS}
    pairs = 0
    for table in tables:
        rows = used.get((table.schema.label, table.source_sha256), {})
        for split, numbers in rows.items():
            numbers &= set(range(len(table.rows)))  # what is not there is a fault of the sample, and verify names it
            names = ((table.schema.entity_of(table.rows[number]) or "") for number in numbers)
            groups[split].update(group_key(table.schema.label, name) for name in names)
        if near_duplicates and rows:
            pairs += _pairs_across(table, rows)
    shared = groups["train"] & groups["test"]
    if shared or pairs:
        raise DataError(
            "The splits are not proved to be apart.",
            why=f"They share {len(shared)} entities {sorted(shared)[:3]} and {pairs} pairs of near-duplicate rows.",
            next_step="Build the samples anew; if it comes again, report it as a defect of attar.",
        )
    counts = {split: len(found) for split, found in groups.items()}
    return {"groups": counts, "shared_groups": 0, "near_duplicate_pairs_across": pairs if near_duplicates else None}


def _pairs_across(table: Readable, rows: dict[str, set[int]]) -> int:
    """How many training rows each test row nearly repeats, in all; equal rows count once."""
    known = NearDuplicates()
    for number in sorted(rows["train"]):
        known.add(number, shingles_of(table.schema, table.rows[number]))
    return sum(len(known.of(shingles_of(table.schema, table.rows[number]))) for number in rows["test"])
