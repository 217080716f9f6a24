"""The second pass: a table's rows, batch by batch, as its schema says.

A row with a value that does not fit is left out, since to call the value not recorded would be a lie. Hands on rows
and what was left out. Does not know files, or where the schema comes from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from attar.runtime.errors import DataError

from .batches import Batch, Reject
from .rejects import MAX_REJECTS, Rejects
from .rows import Rows, RowsWriter
from .schema import TableSchema, refuse_bytes, require_columns
from .types import TYPES, converted

__all__ = ["read_rows"]

_REASONS = {"integer": "not an integer", "number": "not a number that a float holds", "yes/no": "neither yes nor no"}


def read_rows(
    batches: Callable[[], Iterator[Batch]], schema: TableSchema, max_rejects: float = MAX_REJECTS
) -> tuple[Rows, Rejects]:
    """All rows of a table that can be read.

    Args:
        batches: Gives the table from its first row.
        schema: What its columns are.
        max_rejects: Which fraction of the rows may be left out.

    Raises:
        DataError: Too many rows can't be read, no row is left, or a column is missing or holds bytes.
    """
    rejects, seen = Rejects(), dict[str, None]()
    with closing(RowsWriter()) as rows:
        for batch in batches():
            seen |= dict.fromkeys(batch.rows.schema.names)
            kept, wrong = _read_batch(batch, schema.types)
            rejects.add(_in_order(batch.rejects, wrong))
            rows.add(kept)
        if seen:
            require_columns(schema.label, list(schema.types), list(seen))
        rejects.require_few(len(rows) + len(rejects), max_rejects)
        if not len(rows):
            raise DataError("The table has no rows.", next_step="Give a table with at least one row of data.")
        return rows.finish(), rejects


def _read_batch(batch: Batch, types: dict[str, str]) -> tuple[pa.RecordBatch, list[Reject]]:
    """The rows of a batch that fit, and of each other row its first value that does not."""
    given = dict(zip(batch.rows.schema.names, batch.rows.columns, strict=True))
    count = batch.rows.num_rows
    read, rejects = [], dict[int, Reject]()
    for name, kind in types.items():
        if name not in given:
            read.append(pa.nulls(count, TYPES[kind]))
            continue
        refuse_bytes(name, given[name].type)
        values, wrong = converted(given[name], kind)
        read.append(values)
        if pc.any(wrong).as_py():
            for place in pc.indices_nonzero(wrong).to_pylist():
                rejects.setdefault(place, _reject(batch, place, name, kind, given[name][place]))
    rows = pa.RecordBatch.from_arrays(read, schema=pa.schema([(name, TYPES[kind]) for name, kind in types.items()]))
    if rejects:
        rows = rows.filter(pa.array([place not in rejects for place in range(count)]))
    return rows, [rejects[place] for place in sorted(rejects)]


def _reject(batch: Batch, place: int, column: str, kind: str, value: Any) -> Reject:
    try:
        text = str(value.as_py())
    except (ValueError, OverflowError):  # a date that Python can't hold
        text = str(value)
    reason = _REASONS.get(kind, f"not a {kind}")
    return Reject(batch.source, batch.line(place), batch.number(place), column, text, reason)


def _in_order(unreadable: Iterable[Reject], wrong: Iterable[Reject]) -> list[Reject]:
    """What the source left out and what did not fit, in the order of the rows."""
    return sorted([*unreadable, *wrong], key=lambda reject: (reject.line or 0, reject.row or 0))
