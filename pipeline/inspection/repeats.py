"""Rows that nearly repeat earlier ones, as the split would see them. Does not know splits or pages."""

from __future__ import annotations

from collections.abc import Iterator

from ..data.duplicates import JACCARD, NearDuplicates, shingles_of
from .counting import MOST_PLACES
from .findings import Example, Problem
from .view import View

__all__ = ["near_duplicates"]


def near_duplicates(view: View) -> Iterator[Problem]:
    """The rows of a view that nearly repeat an earlier one of it, whatever the config does with them."""
    schema, known = view.table.schema, NearDuplicates()
    count, examples = 0, list[Example]()
    for number, row in zip(view.sample, view.rows, strict=True):
        shingles = shingles_of(schema, row)
        alike = known.of(shingles)
        known.add(number, shingles)
        count += bool(alike)
        if alike and len(examples) < MOST_PLACES:
            examples.append(view.example(number, why=f"nearly repeats {view.name(alike[0])!r}", like=alike[0]))
    if count:
        looked_at = "" if view.whole else f" of the {len(view.sample):,} that were looked at"
        yield Problem(
            "near-duplicates",
            f"Rows{looked_at} that nearly repeat an earlier one, {JACCARD:.0%} of their values or more: {count:,}.",
            count,
            "Remove the repeats, or add the column that tells them apart; until then they go to the split of the "
            'first (data.near_duplicates = "group").',
            examples,
            sampled=not view.whole,
        )
