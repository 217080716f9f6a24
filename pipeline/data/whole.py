"""Batches as one table, for who can hold all rows. Does not know where they come from."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from attar.runtime.errors import DataError

from .batches import Batch
from .columns import joined
from .inference import inferred_types
from .types import converted

__all__ = ["whole_table"]


def whole_table(batches: Iterable[Batch], where: object) -> pa.Table:
    """All rows, with one type for each column; those of a CSV file are guessed as a schema's are.

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
    if not any(batch.lines and not batch.typed for batch in held):
        return table
    types = inferred_types(held)
    return pa.table({name: _as(table.column(name).combine_chunks(), types[name]) for name in names})


def _column(batch: Batch, name: str) -> pa.Array:
    return batch.rows.column(name) if name in batch.rows.schema.names else pa.nulls(batch.rows.num_rows)


def _as(column: pa.Array, kind: str) -> pa.Array:
    """A column as a type; as it is where a value that the guess did not see does not fit."""
    values, wrong = converted(column, kind)
    return column if pc.any(wrong).as_py() else values
