"""Batches as one table, for who can hold all rows. Does not know where they come from."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.csv

from attar.runtime.errors import DataError

from .batches import Batch
from .columns import joined

__all__ = ["whole_table"]


def whole_table(batches: Iterable[Batch], where: object) -> pa.Table:
    """All rows, with one type for each column; the types of a CSV file's columns are guessed.

    Raises:
        DataError: A row can't be read: here none may be left out, as nobody would see it.
    """
    held = []
    for batch in batches:
        for reject in batch.rejects:
            raise DataError(
                "The table can't be read.",
                where=where,
                why=f"line {reject.line}: {reject.reason}",
                next_step="Check that the file is whole, in UTF-8, and that its contents match the end of its name.",
            )
        held.append(batch)
    names = list(dict.fromkeys(name for batch in held for name in batch.rows.schema.names))
    table = pa.table({name: joined([_column(batch, name) for batch in held]) for name in names})
    return _guessed(table) if any(batch.lines and not batch.typed for batch in held) else table


def _column(batch: Batch, name: str) -> pa.Array:
    return batch.rows.column(name) if name in batch.rows.schema.names else pa.nulls(batch.rows.num_rows)


def _guessed(table: pa.Table) -> pa.Table:
    """A table of text with the types that Arrow guesses of CSV."""
    sink = pa.BufferOutputStream()
    pa.csv.write_csv(table, sink)
    parse = pa.csv.ParseOptions(newlines_in_values=True)
    convert = pa.csv.ConvertOptions(null_values=[""], strings_can_be_null=True)
    # In one block, since the guess is of the first one and a later cell that differs would be an error.
    read = pa.csv.ReadOptions(block_size=max(1 << 20, sink.tell() + 1))
    return pa.csv.read_csv(pa.BufferReader(sink.getvalue()), read, parse, convert)
