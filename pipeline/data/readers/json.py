"""JSON: an array of objects, read piece by piece, or one object a line (JSONL).

Keys may differ from row to row; whole numbers are exact however long. A line that is broken is left out and named;
after a break inside an array nothing can be told, so that is an error. Does not read dates out of text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa

from attar.runtime.errors import DataError

from ..batches import Batch
from ..columns import column_of
from .gathering import Gathering
from .text import opened_text

__all__ = ["read_json"]

_BLOCK_LETTERS = 1 << 20
_NEAR_END = 16
"""Within so many letters of a piece's end a token may be cut off: the longest is a pair of escapes."""
_SPACE = " \t\r\n"

Rows = Gathering[dict[str, Any]]


def read_json(path: Path, *, encoding: str | None = None) -> Iterator[Batch]:
    """An array of objects, or one object a line; told apart by the first character.

    Args:
        path: The file, compressed or not.
        encoding: See :func:`.text.opened_text`.

    Raises:
        UsageError: There is no such encoding.
        DataError: The array is broken.
    """
    rows: Rows = Gathering(path, _columns, _cells, typed=True)
    with opened_text(path, encoding) as text:
        first = next((line for line in text if line.strip(_SPACE)), "")
    with opened_text(path, encoding) as text:
        for _ in _array(rows, text, path) if first.lstrip().startswith("[") else _lines(rows, text):
            if rows.full:
                yield rows.batch()
        if not rows.empty:
            yield rows.batch()


def _lines(rows: Rows, text: TextIO) -> Iterator[None]:
    for number, line in enumerate(text, 1):
        if line.strip(_SPACE):
            try:
                _take(rows, _DECODER.decode(line), number, line)
            except (ValueError, RecursionError) as error:
                rows.reject(number, line.rstrip(), f"not JSON: {error}")
            yield


def _array(rows: Rows, text: TextIO, path: Path) -> Iterator[None]:
    scan = _Scan(text, path)
    scan.expect("[")
    if scan.following() == "]":
        return scan.expect_end()
    while True:
        scan.following()
        line = scan.line
        item, written = scan.item()
        _take(rows, item, line, written)
        yield
        if scan.following() == "]":
            return scan.expect_end()
        scan.expect(",")


def _take(rows: Rows, item: object, line: int, written: str) -> None:
    if isinstance(item, dict):
        rows.add(item, line, len(written))
    else:
        rows.reject(line, written, f"it is a {type(item).__name__}, not an object")


class _Scan:
    """The values of one array in a text that is never held as a whole.

    Attributes:
        line: Line of the text, from 1, at which the scan stands.
    """

    def __init__(self, text: TextIO, path: Path) -> None:
        self.line = 1
        self._text = text
        self._path = path
        self._held = ""
        self._place = 0
        self._column = 1
        self._ended = False

    def following(self) -> str:
        """The next character that is not space, which is not passed; "" at the end."""
        while True:
            rest = len(self._held)
            start = self._place
            while start < rest and self._held[start] in _SPACE:
                start += 1
            self._pass(start)
            if start < rest or not self._more():
                return self._held[start : start + 1]

    def expect(self, sign: str) -> None:
        """Pass a sign."""
        if self.following() != sign:
            raise self._broken(f"expected {sign!r}")
        self._pass(self._place + 1)

    def expect_end(self) -> None:
        """Pass the array's end; nothing may follow."""
        self.expect("]")
        if self.following():
            raise self._broken("more text follows the array")

    def item(self) -> tuple[object, str]:
        """Pass a value: what it is and how it is written."""
        while True:
            try:
                value, end = _DECODER.raw_decode(self._held, self._place)
                if end < len(self._held) or not self._more():  # else a number may go on
                    written = self._held[self._place : end]
                    self._pass(end)
                    return value, written
            except json.JSONDecodeError as error:
                cut_off = error.pos >= len(self._held) - _NEAR_END or error.msg.startswith("Unterminated string")
                if not (cut_off and self._more()):
                    self._pass(error.pos)
                    raise self._broken(error.msg) from None
            except (ValueError, RecursionError) as error:
                raise self._broken(str(error)) from None

    def _pass(self, place: int) -> None:
        lines = self._held.count("\n", self._place, place)
        if lines:
            self._column = place - self._held.rindex("\n", self._place, place)
        else:
            self._column += place - self._place
        self.line += lines
        self._place = place

    def _more(self) -> bool:
        """Read on, at least as much as is held, so that a long value is not tried too often; false at the end."""
        rest = self._held[self._place :]
        block = self._text.read(max(_BLOCK_LETTERS, len(rest)))
        if not block:
            return False
        self._held = rest + block
        self._place = 0
        return True

    def _broken(self, why: str) -> DataError:
        return DataError(
            "The table can't be read.",
            where=self._path,
            why=f"The JSON is broken at line {self.line}, column {self._column}: {why}.",
            next_step="Mend it there; if the file was cut off, fetch it again.",
        )


def _columns(rows: Sequence[Mapping[str, object]]) -> pa.RecordBatch:
    names = list(dict.fromkeys(key for row in rows for key in row))
    return pa.RecordBatch.from_arrays([column_of([row.get(name) for row in rows]) for name in names], names)


def _cells(row: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in row.items():
        yield name, json.dumps(value, ensure_ascii=False)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)!r} stands twice in an object")
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_object)
