"""Where rows stand: the file and the line of a row, found by passing through its source once more.

Hands on :func:`places_of`. A table that was read keeps no lines, since hardly anybody asks for them. Does not know
what is wrong with a row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from ..data import LoadedTable, Source
from ..data.batches import Batch

__all__ = ["places_of"]


def places_of(source: Source, table: LoadedTable, numbers: Iterable[int]) -> dict[int, str]:
    """Where some rows of a table stand, as ``cities.csv:12``; with the row's number where a source has no lines.

    Args:
        source: The table's source.
        table: The table, read from it; rows that were left out don't count in its numbers.
        numbers: Numbers of its rows.
    """
    wanted = sorted(set(numbers), reverse=True)
    found: dict[int, str] = {}
    if not wanted:
        return found
    left_out: dict[str, set[int]] = defaultdict(set)
    for reject in table.rejects:
        if reject["row"] is not None:
            left_out[reject["source"]].add(reject["row"])
    first = 0
    for batch in source.batches():
        kept = _kept(batch, left_out[batch.source])
        while wanted and wanted[-1] < first + len(kept):
            number = wanted.pop()
            found[number] = _place(batch, kept[number - first])
        if not wanted:
            break
        first += len(kept)
    return found | {number: f"{source.name}, row {number}" for number in wanted}


def _kept(batch: Batch, left_out: set[int]) -> range | list[int]:
    """Places in a batch of the rows that the table has."""
    everything = range(batch.rows.num_rows)
    if not left_out:
        return everything
    return [place for place in everything if batch.number(place) not in left_out]


def _place(batch: Batch, place: int) -> str:
    line = batch.line(place)
    return f"{batch.source}:{line}" if line is not None else f"{batch.source}, row {batch.number(place)}"
