"""The first pass: a table's schema, from its rows as they come.

Types are those of a sample that is spread over the whole table; whether a column can name rows is told from every
row. Hands on a ``TableSchema``. Does not know files, and keeps no rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from attar.runtime.errors import DataError

from .batches import Batch
from .rejects import MAX_REJECTS, Rejects
from .schema import Column, TableSchema, humanize, refuse_bytes, require_columns
from .types import TEXT, converted, is_text, possible_types

__all__ = ["infer_from", "infer_schema", "inferred_types"]

_ALL_ROWS = 20_000
"""Rows of which every one is looked at; of later ones, ``_SOME_ROWS`` of each batch."""
_SOME_ROWS = 500


def infer_schema(
    table: pa.Table,
    label: str,
    entity: Sequence[str] | None = None,
    columns: Mapping[str, str] | None = None,
) -> TableSchema:
    """A schema from a table that is in memory; arguments as for :func:`infer_from`."""
    batches = [Batch(rows, label) for rows in table.to_batches()] or [Batch(table.schema.empty_table(), label)]
    return infer_from(batches, label, entity, columns)


def infer_from(
    batches: Iterable[Batch],
    label: str,
    entity: Sequence[str] | None = None,
    columns: Mapping[str, str] | None = None,
    max_rejects: float = MAX_REJECTS,
) -> TableSchema:
    """A schema from rows, where the caller does not say otherwise.

    Args:
        batches: The rows; their columns may differ from batch to batch.
        label: What one row is.
        entity: Columns that name a row. By default the first text column without repeats and gaps,
            else the first column.
        columns: Source name to readable name, in the order to show. By default all columns but the
            entity's first, with humanized names.
        max_rejects: Which fraction of the rows may be left out: of what is left of a broken table nothing is told.

    Raises:
        DataError: Too many rows can't be read, a named column is not in the table or holds bytes, or nothing is left
            to ask for.
    """
    found = _Found(by_hash=not entity)
    for batch in batches:
        found.add(batch)
    found.left_out.require_few(found.rows + len(found.left_out), max_rejects)
    if not found.columns:
        raise DataError("The table has no rows.", next_step="Give a table with at least one row of data.")
    names = list(found.columns)
    chosen = tuple(entity) if entity else (found.entity(),)
    require_columns(label, [*chosen, *(columns or {})], names)
    labels = columns or {name: humanize(name) for name in names if name != chosen[0]}
    if not labels:
        raise DataError(
            f"The table {label!r} has no column to ask for beside its entity column.",
            next_step="Add a column, or name another entity column.",
        )
    for name in (*chosen, *labels):
        for kind in found.columns[name].kinds:
            refuse_bytes(name, kind)
    made = {name: Column(name, labels.get(name) or humanize(name), found.columns[name].type) for name in names}
    asked = tuple(made[name] for name in labels)
    unasked = tuple(made[name] for name in dict.fromkeys(chosen) if name not in labels)
    return TableSchema(label, chosen, asked, unasked)


def inferred_types(batches: Iterable[Batch]) -> dict[str, str]:
    """Name to type of every column."""
    found = _Found(by_hash=False)
    for batch in batches:
        found.add(batch)
    return {name: column.type for name, column in found.columns.items()}


class _Found:
    """What is known of a table so far.

    Args:
        by_hash: Whether to find out which columns can name rows.

    Attributes:
        columns: Name to what is known of a column.
        rows: How many rows could be read.
        left_out: Those that could not.
    """

    def __init__(self, *, by_hash: bool) -> None:
        self.columns: dict[str, _Values] = {}
        self.rows = 0
        self.left_out = Rejects()
        self._by_hash = by_hash

    def add(self, batch: Batch) -> None:
        rows = batch.rows
        self.left_out.add(batch.rejects)
        sample = _sampled(rows, max(_SOME_ROWS, _ALL_ROWS - self.rows))
        for place, name in enumerate(rows.schema.names):
            column = self.columns.get(name)
            if column is None:
                column = self.columns[name] = _Values(names_rows=self._by_hash and self.rows == 0)
            column.look_at(sample.column(place), typed=batch.typed)
            if column.names_rows:
                column.tell_apart(rows.column(place))
        if rows.num_rows:
            for name in self.columns.keys() - set(rows.schema.names):
                self.columns[name].names_rows = False
        self.rows += rows.num_rows

    def entity(self) -> str:
        """The first text column without repeats and gaps, else the first column."""
        named = (name for name, column in self.columns.items() if column.type == TEXT and column.can_name())
        return next(named, next(iter(self.columns)))


class _Values:
    """What is known of one column so far.

    Attributes:
        kinds: The Arrow types that it came in.
        names_rows: Whether it may be one that names rows: text, no gaps and no repeats so far.
    """

    def __init__(self, *, names_rows: bool) -> None:
        self.kinds: dict[pa.DataType, None] = {}
        self.names_rows = names_rows
        self._fitting: tuple[str, ...] | None = None
        self._sorted = np.empty(0, np.uint64)
        self._new: list[np.ndarray[tuple[int], np.dtype[np.uint64]]] = []

    @property
    def type(self) -> str:
        """The narrowest type that all values fit."""
        return self._fitting[0] if self._fitting else TEXT

    def look_at(self, sample: pa.Array, *, typed: bool) -> None:
        """Take back the types that these values do not fit."""
        if sample.type not in self.kinds:
            self.kinds[sample.type] = None
        if self._fitting == ():
            return
        values = _telling(sample)
        if len(values) == values.null_count:
            return
        possible = possible_types(values.type, typed=typed)
        left = possible if self._fitting is None else [name for name in self._fitting if name in possible]
        self._fitting = tuple(name for name in left if not pc.any(converted(values, name)[1]).as_py())

    def tell_apart(self, values: pa.Array) -> None:
        """Find out whether these values, and those before, are all there and all different."""
        values = values.dictionary_decode() if pa.types.is_dictionary(values.type) else values
        text = is_text(values.type)
        if not text or values.null_count or pc.any(pc.equal(values, "")).as_py():
            self.names_rows = len(values) == 0
            return
        self._new.append(_hashes(values))
        if sum(map(len, self._new)) >= len(self._sorted):
            self.names_rows = self.can_name()

    def can_name(self) -> bool:
        """Whether no two rows have the same value, nor one none."""
        if self.names_rows and self._new:
            self._sorted = np.sort(np.concatenate([self._sorted, *self._new]))
            self._new.clear()
            self.names_rows = not bool((self._sorted[1:] == self._sorted[:-1]).any())
        if not self.names_rows:
            self._sorted = np.empty(0, np.uint64)
        return self.names_rows


def _sampled(rows: pa.RecordBatch, most: int) -> pa.RecordBatch:
    """So many rows, spread over the batch."""
    if rows.num_rows <= most:
        return rows
    return rows.take(pa.array(np.linspace(0, rows.num_rows, most, endpoint=False, dtype=np.int64)))


def _telling(values: pa.Array) -> pa.Array:
    """Without empty text and "nan", which say nothing of a column's type."""
    values = values.dictionary_decode() if pa.types.is_dictionary(values.type) else values
    if not is_text(values.type):
        return values
    nothing = pc.is_in(pc.utf8_lower(pc.utf8_trim_whitespace(values)), value_set=pa.array(["", "nan"], values.type))
    return values.filter(pc.invert(nothing))


def _hashes(values: pa.Array) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """64 bits of each text; two of a million differ in them with a chance of all but 3 in 100 million."""
    from pandas.util import hash_array

    hashes: np.ndarray[tuple[int], np.dtype[np.uint64]] = hash_array(
        values.to_numpy(zero_copy_only=False), categorize=False
    )
    return hashes
