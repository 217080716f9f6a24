"""A table made ready to be looked at: its figures from one full pass, and some of its rows from start to end.

Hands on :class:`View`. Does not know what is a problem.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from ..data import LoadedTable
from ..data.schema import written
from .counting import ColumnTally
from .findings import Example

__all__ = ["SAMPLE", "View", "shown", "view_of"]

SAMPLE = 20_000
"""Rows that the dear checks look at, evenly spread."""
_LONGEST_SHOWN = 120


@dataclass(frozen=True)
class View:
    """What the checks of one table look at.

    Attributes:
        table: The table.
        tallies: Column name to its figures over all rows.
        sample: Numbers of the rows that were drawn, evenly from start to end.
        rows: Those rows.
        common: Column name to its values in them with their counts.
        unnamed: Numbers of the first rows without a name, and how many there are.
        repeated: Numbers of the first rows whose name came before, and how many there are.
    """

    table: LoadedTable
    tallies: dict[str, ColumnTally]
    sample: Sequence[int]
    rows: Sequence[Any]
    common: dict[str, Counter[str]] = field(default_factory=dict)
    unnamed: tuple[list[int], int] = ([], 0)
    repeated: tuple[list[int], int] = ([], 0)

    @property
    def whole(self) -> bool:
        """Whether every row was drawn."""
        return len(self.sample) == len(self.table.rows)

    def example(self, number: int, column: str = "", why: str = "", like: int | None = None) -> Example:
        """A row as an example, with its value in a column, or its name; where it stands is found later."""
        value = shown(written(self.table.rows[number][column]) or "") if column else self.name(number)
        return Example(column=column, value=value, why=why, row=number, like=like)

    def name(self, number: int) -> str:
        """What a row is called, its beginning where that is long."""
        return shown(self.table.schema.entity_of(self.table.rows[number]) or "")


def view_of(table: LoadedTable) -> View:
    """Pass over a table once and draw the rows."""
    names = list(dict.fromkeys((*table.schema.entity, *(column.name for column in table.schema.columns))))
    tallies = {name: ColumnTally(name) for name in names}
    called: list[np.ndarray] = []
    first = 0
    for batch in table.rows.batches(names):
        for name in names:
            tallies[name].add(batch.column(name), first)
        called.append(_called(table, batch))
        first += batch.num_rows
    hashes = np.concatenate(called) if called else np.empty(0, np.int64)
    step = max(1, -(-len(table.rows) // SAMPLE))
    sample = range(0, len(table.rows), step)
    rows = [table.rows[number] for number in sample]
    common = {name: Counter(text for row in rows if (text := written(row[name])) is not None) for name in names}
    return View(table, tallies, sample, rows, common, _first(hashes == 0), _first(_came_before(hashes)))


def shown(text: str) -> str:
    """The beginning of a long text."""
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _called(table: LoadedTable, batch: pa.RecordBatch) -> np.ndarray:
    """A hash of each row's name, capitals and spaces not counted; 0 where it has none."""
    parts = batch.select(list(table.schema.entity)).to_pylist()
    names = (table.schema.entity_of(row) for row in parts)
    return np.fromiter((hash(name.casefold()) or 1 if name else 0 for name in names), np.int64, batch.num_rows)


def _came_before(hashes: np.ndarray) -> np.ndarray:
    """Which rows have a name that an earlier row has."""
    _, first = np.unique(hashes, return_index=True)
    again = np.ones(len(hashes), bool)
    again[first] = False
    again[hashes == 0] = False
    return again


def _first(found: np.ndarray) -> tuple[list[int], int]:
    numbers = np.flatnonzero(found)
    return [int(number) for number in numbers[:10]], len(numbers)
