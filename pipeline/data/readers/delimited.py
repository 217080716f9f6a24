"""CSV and its kin: cells as text, not changed in any way, and the line on which each row begins.

The delimiter is guessed from the first lines. An empty cell is NULL, quoted or not, and no other is: "NA" may be
Namibia. The form is RFC 4180's; a row that breaks it is left out and named. A carriage return alone ends a line only
where it ends the first one; elsewhere it is a part of its cell, though some programs do not quote it. Does not guess
types.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import pyarrow as pa

from attar.runtime.errors import DataError, UsageError

from ..batches import Batch
from ..names import require_usable_names
from .gathering import Gathering, is_unicode
from .text import opened_text

if TYPE_CHECKING:
    from _csv import Reader as CsvReader

__all__ = ["read_csv", "read_tsv"]

_DELIMITERS = (",", ";", "\t", "|")
_GUESSED_LINES = 100
_CELL_BYTES = 16
"""What a cell weighs beside its text."""
_LONGEST_CELL = (1 << 31) - 1
_LONE_RETURN = re.compile(r"\r(?!\r*\n|\r*$)")
_RETURN = "\udc0d"
"""Stands for a lone carriage return while a line is parsed; no text has it, as only bytes from 0x80 are escaped so."""


def read_csv(path: Path, *, delimiter: str | None = None, encoding: str | None = None) -> Iterator[Batch]:
    """A table of text whose first line names the columns.

    Args:
        path: The file, compressed or not.
        delimiter: What stands between cells; by default guessed among comma, semicolon, tab and bar.
        encoding: See :func:`.text.opened_text`.

    Raises:
        UsageError: The delimiter is not one character, or there is no such encoding.
        DataError: The file is empty, its columns have no name or the same one, or a quote is never closed.
    """
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
        raise UsageError(f"{delimiter!r} can't stand between cells.", next_step='Give one character, such as ";".')
    with opened_text(path, encoding) as text:
        head = list(islice(text, _GUESSED_LINES))
    by_return = bool(head) and head[0].endswith("\r")
    with opened_text(path, encoding, newline="" if by_return else "\n") as text:
        lines = _Lines(text, by_return=by_return)
        reader = csv.reader(lines, delimiter=delimiter or _guessed(head), strict=True)
        names = _header(reader, lines, path)
        rows: Gathering[list[str]] = Gathering(
            path, lambda found: _columns(names, found), lambda row: zip(names, row, strict=True), typed=False
        )
        more = True
        while more:
            with _long_cells():
                more = _fill(rows, reader, lines, len(names), path)
            if not rows.empty:
                yield rows.batch()


def read_tsv(path: Path) -> Iterator[Batch]:
    """A CSV file with tabs between its cells."""
    return read_csv(path, delimiter="\t")


class _Lines:
    """The lines of a file, their lone carriage returns hidden from the csv module, to which they would end a row.

    Args:
        text: The file.
        by_return: Whether they end lines here, and so are none that are hidden.
    """

    def __init__(self, text: TextIO, *, by_return: bool) -> None:
        self._text = text
        self._by_return = by_return
        self._hidden = False

    def __iter__(self) -> Iterator[str]:
        for line in self._text:
            if "\r" in line[:-2] and not self._by_return:
                line = _LONE_RETURN.sub(_RETURN, line)
                self._hidden = True
            yield line

    def cells(self, row: list[str]) -> list[str]:
        """The cells of a row as they stand in the file."""
        return [cell.replace(_RETURN, "\r") for cell in row] if self._hidden else row


def _guessed(head: Sequence[str]) -> str:
    """The delimiter by which most rows have as many cells as the header; of equal ones the one with most cells."""

    def fit(delimiter: str) -> tuple[float, int]:
        rows = [row for row in csv.reader(head, delimiter=delimiter) if row]
        whole = rows[:-1] if len(head) == _GUESSED_LINES and len(rows) > 1 else rows  # the last may be cut off
        width = len(whole[0]) if whole else 0
        return (sum(len(row) == width for row in whole) / len(whole) if width > 1 else 0.0, width)

    with _long_cells():
        return max(_DELIMITERS, key=fit)


def _header(reader: CsvReader, lines: _Lines, path: Path) -> list[str]:
    with _long_cells():
        names = next((row for row in reader if row), None)
    if names is None:
        raise DataError(
            "The table can't be read.",
            where=path,
            why="The file is empty.",
            next_step="Give a file with a line of column names and at least one row.",
        )
    names = lines.cells(names)
    if not is_unicode("".join(names)):
        raise DataError(
            "The names of the columns hold bytes that are not in the file's encoding.",
            where=path,
            next_step="Save the file in UTF-8, or give its encoding.",
        )
    require_usable_names(names, path)
    return names


def _fill(rows: Gathering[list[str]], reader: CsvReader, lines: _Lines, width: int, path: Path) -> bool:
    """Read rows until a batch is full; false at the file's end."""
    while not rows.full:
        line = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            _require_closed(error, line, path)
            rows.reject(line, "", f"not CSV: {error}")
            continue
        if row is None:
            return False
        row = lines.cells(row)
        if len(row) == width:
            rows.add(row, line, sum(map(len, row)) + _CELL_BYTES * width)
        elif row:  # an empty line is no row
            rows.reject(line, ", ".join(row), f"it has {len(row)} cells, the header has {width}")
    return True


def _require_closed(error: csv.Error, line: int, path: Path) -> None:
    """Check that the error is of one row, not of a quote that swallows all rows to the end."""
    if "unexpected end of data" in str(error):
        raise DataError(
            "A quoted cell is never closed, so that all after it would be one cell.",
            where=path,
            why=f"The row begins on line {line}.",
            next_step='Close the quote, or write a quote inside a quoted cell as "".',
        )


def _columns(names: Sequence[str], rows: Sequence[Sequence[str]]) -> pa.RecordBatch:
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    arrays = [pa.array([cell or None for cell in column], pa.string()) for column in columns]
    return pa.RecordBatch.from_arrays(arrays, list(names))


@contextmanager
def _long_cells() -> Iterator[None]:
    """Let cells be longer than the 128 KB that the csv module allows; its limit is one for the whole process."""
    before = csv.field_size_limit(_LONGEST_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(before)
