"""Rows as they come: what a source hands on, batch by batch, and what could not be read of it.

The words between the sources, which know files and databases, and the schema, which knows what values mean. Does
not know either of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

__all__ = ["Batch", "Reject"]

_LONGEST_VALUE = 200


@dataclass(frozen=True)
class Reject:
    """A row that was left out, with the value that could not be read and why.

    Attributes:
        source: The file, or the database and query, as it is shown.
        line: Line of the file on which the row begins, from 1; None where there are no lines.
        row: Number of the row in the file or query, from 0, rows left out included.
        column: The column, where one is to blame.
        value: The value as it came, its beginning where it is long.
        reason: Why it was left out.
    """

    source: str
    line: int | None
    row: int | None
    column: str | None
    value: str
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """The same, for a line of JSON."""
        return asdict(self) | {"value": self.value[:_LONGEST_VALUE]}


@dataclass(frozen=True)
class Batch:
    """Consecutive rows of one file or query.

    Attributes:
        rows: The columns as they are held there: text, not changed in any way, where nothing knows their types
            (CSV), else of its own types. Names and types may differ from batch to batch.
        source: The file, or the database and query, as it is shown.
        first: Number of the first row in that file or query, from 0, rows left out included.
        typed: Whether a text is one because its file says so; in CSV and SQLite it may be a date or a number.
        lines: Line of the file, from 1, on which each row begins; None where there are no lines.
        numbers: Number of each row in the file or query, where rows between them were left out; None where they
            count on from ``first``.
        rejects: Rows of this stretch that could not be read at all.
    """

    rows: pa.RecordBatch
    source: str
    first: int = 0
    typed: bool = True
    lines: Sequence[int] | None = None
    numbers: Sequence[int] | None = None
    rejects: Sequence[Reject] = ()

    def number(self, place: int) -> int:
        """Number in the file or query of the row at a place of this batch."""
        return self.numbers[place] if self.numbers else self.first + place

    def line(self, place: int) -> int | None:
        """Line of the file on which the row at a place begins."""
        return self.lines[place] if self.lines else None
