"""The rows of a table, read: a sequence that is held in memory where it is small, and in a temporary file where not.

Hands on :class:`Rows`, read row by row, in order, or by columns, and :class:`RowsWriter`, which makes them. Does not
know where the rows come from or what they mean.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from abc import abstractmethod
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, overload

import pyarrow as pa

__all__ = ["Rows", "RowsWriter"]

Row = dict[str, Any]

_HELD_ROWS = 20_000
_HELD_BYTES = 64 << 20
"""Rows and bytes up to which a table is held in memory."""
_BATCH_ROWS = 1000
_OPEN_COLUMNS = 1 << 15
"""Columns of batches that stand ready, so that a row is found at once."""
_FILE = "rows.arrow"


class Rows(Sequence[Row]):
    """The rows of a table, each a dict from column to value."""

    @overload
    def __getitem__(self, number: int) -> Row: ...
    @overload
    def __getitem__(self, number: slice) -> list[Row]: ...
    def __getitem__(self, number: int | slice) -> Row | list[Row]:
        if isinstance(number, slice):
            return [self._row(place) for place in range(*number.indices(len(self)))]
        place = number + len(self) if number < 0 else number
        if not 0 <= place < len(self):
            raise IndexError(f"there is no row {number}, only {len(self)}")
        return self._row(place)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)})"

    @abstractmethod
    def columns(self, names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """The values of these columns alone, row by row, in order."""

    @abstractmethod
    def batches(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The same, many rows at once as Arrow holds them."""

    @abstractmethod
    def _row(self, number: int) -> Row: ...


class _HeldRows(Rows):
    """Rows in memory."""

    def __init__(self, rows: list[Row]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    def columns(self, names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        return (tuple(row[name] for name in names) for row in self._rows)

    def batches(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        yield pa.RecordBatch.from_pydict({name: [row[name] for row in self._rows] for name in names})

    def _row(self, number: int) -> Row:
        return self._rows[number]


class _FiledRows(Rows):
    """Rows in an Arrow IPC file that is mapped into memory; its folder is removed with them."""

    def __init__(self, folder: Path) -> None:
        self._reader = pa.ipc.open_file(pa.memory_map(str(folder / _FILE)))
        self._names: list[str] = self._reader.schema.names
        self._starts = [0]
        for number in range(self._reader.num_record_batches):
            self._starts.append(self._starts[-1] + self._reader.get_batch(number).num_rows)
        self._open = lru_cache(max(8, _OPEN_COLUMNS // max(1, len(self._names))))(self._columns_of)
        self._passed: tuple[int, list[Row]] = (0, [])
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)

    def __len__(self) -> int:
        return self._starts[-1]

    def __iter__(self) -> Iterator[Row]:
        for number, start in enumerate(self._starts[:-1]):
            rows = self._reader.get_batch(number).to_pylist()
            self._passed = (start, rows)  # who goes through all rows asks for the same ones again by their numbers
            yield from rows

    def columns(self, names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        for number in range(len(self._starts) - 1):
            batch = self._reader.get_batch(number)
            yield from zip(*(batch.column(name).to_pylist() for name in names), strict=True)

    def batches(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        return (self._reader.get_batch(number).select(names) for number in range(len(self._starts) - 1))

    def _row(self, number: int) -> Row:
        start, rows = self._passed
        if start <= number < start + len(rows):
            return rows[number - start]
        batch = bisect_right(self._starts, number) - 1
        place = number - self._starts[batch]
        return {name: column[place].as_py() for name, column in zip(self._names, self._open(batch), strict=True)}

    def _columns_of(self, batch: int) -> list[pa.Array]:
        return list(self._reader.get_batch(batch).columns)


class RowsWriter:
    """Collects rows, in memory until they are many."""

    def __init__(self) -> None:
        self._batches: list[pa.RecordBatch] = []
        self._count = self._bytes = 0
        self._folder: Path | None = None
        self._writer: pa.ipc.RecordBatchFileWriter | None = None

    def __len__(self) -> int:
        return self._count

    def add(self, batch: pa.RecordBatch) -> None:
        """Add rows; all batches have the same columns.

        Raises:
            OSError: There is no room for them.
        """
        self._count += batch.num_rows
        self._bytes += batch.nbytes
        self._batches.append(batch)
        if self._count > _HELD_ROWS or self._bytes > _HELD_BYTES:
            self._spill(batch.schema)

    def finish(self) -> Rows:
        """The rows; nothing can be added afterwards."""
        if self._writer is None or self._folder is None:
            return _HeldRows([row for batch in self._batches for row in batch.to_pylist()])
        self._writer.close()
        self._writer = None
        return _FiledRows(self._folder)

    def close(self) -> None:
        """Remove what was written, where it was not finished."""
        if self._writer is not None and self._folder is not None:
            self._writer.close()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _spill(self, schema: pa.Schema) -> None:
        if self._writer is None:
            self._folder = Path(tempfile.mkdtemp(prefix="attar-rows-"))
            self._writer = pa.ipc.new_file(str(self._folder / _FILE), schema)
        self._writer.write_table(pa.Table.from_batches(self._batches, schema), max_chunksize=_BATCH_ROWS)
        self._batches.clear()
