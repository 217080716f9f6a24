"""Rows of a file on their way into a batch, with those that had to be left out.

Counts rows and knows when a batch is full. Does not know how a file is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

import pyarrow as pa

from ..batches import Batch, Reject

__all__ = ["BATCH_BYTES", "BATCH_ROWS", "Gathering", "is_unicode"]

BATCH_ROWS = 10_000
BATCH_BYTES = 16 << 20
_SHOWN = 200

Row = TypeVar("Row")


class Gathering(Generic[Row]):
    """A batch that is being filled, again and again.

    Args:
        path: The file.
        columns: Makes Arrow columns of rows; text that is not Unicode has to raise ``UnicodeEncodeError``.
        cells: Names and texts of a row, to find the one that is not Unicode.
        typed: See :class:`~attar.pipeline.data.batches.Batch`.
    """

    def __init__(
        self,
        path: Path,
        columns: Callable[[Sequence[Row]], pa.RecordBatch],
        cells: Callable[[Row], Iterable[tuple[str, str]]],
        *,
        typed: bool,
    ) -> None:
        self._source = str(path)
        self._columns = columns
        self._cells = cells
        self._typed = typed
        self._next = 0  # number of the next row in the file
        self._clear()

    @property
    def full(self) -> bool:
        """Whether it is time to hand on a batch."""
        return self._next - self._first >= BATCH_ROWS or self._size >= BATCH_BYTES

    @property
    def empty(self) -> bool:
        """Whether no row has come since the last batch."""
        return self._next == self._first

    def add(self, row: Row, line: int, size: int) -> None:
        """One more row that begins on a line, of about so many bytes."""
        self._rows.append(row)
        self._lines.append(line)
        self._numbers.append(self._next)
        self._next += 1
        self._size += size

    def reject(self, line: int, value: str, reason: str) -> None:
        """One more row that can't be read."""
        self._rejects.append(self._reject(line, self._next, None, value, reason))
        self._next += 1

    def batch(self) -> Batch:
        """What has come since the last batch."""
        try:
            columns = self._columns(self._rows)
        except UnicodeEncodeError:
            self._leave_out_undecodable()
            columns = self._columns(self._rows)
        numbers = self._numbers if self._rejects else None
        done = Batch(columns, self._source, self._first, self._typed, self._lines, numbers, self._rejects)
        self._clear()
        return done

    def _clear(self) -> None:
        self._first = self._next
        self._rows: list[Row] = []
        self._lines: list[int] = []
        self._numbers: list[int] = []
        self._rejects: list[Reject] = []
        self._size = 0

    def _leave_out_undecodable(self) -> None:
        rows, lines, numbers = self._rows, self._lines, self._numbers
        self._rows, self._lines, self._numbers = [], [], []
        for row, line, number in zip(rows, lines, numbers, strict=True):
            bad = next(((name, text) for name, text in self._cells(row) if not is_unicode(name + text)), None)
            if bad is None:
                self._rows.append(row)
                self._lines.append(line)
                self._numbers.append(number)
            else:
                reason = "it holds bytes that are not in the file's encoding, or half a character"
                self._rejects.append(self._reject(line, number, _printable(bad[0]), bad[1], reason))
        self._rejects.sort(key=lambda reject: reject.row or 0)

    def _reject(self, line: int, row: int, column: str | None, value: str, reason: str) -> Reject:
        return Reject(self._source, line, row, column, _printable(value[:_SHOWN]), reason)


def is_unicode(text: str) -> bool:
    """Whether no byte in it could not be decoded."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _printable(text: str) -> str:
    """The text; bytes that could not be decoded are written in hexadecimal digits."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\\udc", "\\x")
