"""Rows that were left out, and how many may be.

Hands on :class:`Rejects`, which counts them and keeps their lines, in a temporary file where they are many. Does not
know why a row was left out.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from attar.runtime.errors import DataError
from attar.runtime.files import replaced_file

from .batches import Reject

__all__ = ["MAX_REJECTS", "Rejects", "told", "write_rejects"]

MAX_REJECTS = 0.01
"""Which fraction of a table's rows may be left out, where nobody says otherwise."""
_HELD_BYTES = 1 << 20
_FIRST = 5


class Rejects:
    """The rows of one table that were left out."""

    def __init__(self) -> None:
        self._lines = tempfile.SpooledTemporaryFile(_HELD_BYTES, "w+", encoding="utf-8")  # noqa: SIM115
        self._first: list[Reject] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return map(json.loads, self.lines())

    def __repr__(self) -> str:
        return f"Rejects({self._count})"

    def lines(self) -> Iterator[str]:
        """One line of JSON for each, without its end."""
        self._lines.seek(0)
        return (line.rstrip("\n") for line in self._lines)

    def add(self, rejects: Iterable[Reject]) -> None:
        """Leave out these rows too."""
        for reject in rejects:
            self._count += 1
            if len(self._first) < _FIRST:
                self._first.append(reject)
            self._lines.write(json.dumps(reject.to_dict(), ensure_ascii=False) + "\n")

    def require_few(self, rows: int, most: float) -> None:
        """Check that not too many rows were left out.

        Args:
            rows: How many rows there are, these included.
            most: Which fraction of them may be left out.

        Raises:
            DataError: There are more.
        """
        if self._count <= most * rows:
            return
        counts = f"{self._count:,} of {rows:,} rows can't be read, and at most {most:.2%} may be left out."
        raise DataError(
            "Too many rows of the table can't be read.",
            why=" ".join([counts, *(told(reject) for reject in self._first)]),
            next_step="Correct these cells, or check that the encoding and the delimiter are the table's; give a "
            "column another type in a schema file (schema_file), or let more rows be left out (max_rejects).",
        )


def write_rejects(path: Path, tables: Iterable[Rejects]) -> None:
    """Write what was left out of tables as JSON Lines, atomically."""
    with replaced_file(path) as temporary, temporary.open("w", encoding="utf-8") as stream:
        for rejects in tables:
            stream.writelines(f"{line}\n" for line in rejects.lines())


def told(reject: Reject) -> str:
    """A row that was left out, in one sentence."""
    place = f"line {reject.line}" if reject.line is not None else f"row {reject.row}"
    value = reject.to_dict()["value"]
    column = f", column {reject.column!r}, {value!r}" if reject.column is not None else f", {value!r}" if value else ""
    return f"{reject.source}, {place}{column}: {reject.reason}."
