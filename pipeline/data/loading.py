"""From a source to a table that was read: what its rows are, those that could be read, and those that could not.

Hands on :func:`load_table`. Does not know questions or splits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypedDict

from attar.runtime.errors import DataError, UsageError

from .formats import Given, format_of
from .inference import infer_from
from .reading import read_rows
from .rejects import MAX_REJECTS, Rejects
from .rows import Rows, RowsWriter
from .schema import TableSchema
from .schema_file import read_schema
from .sources import Source

__all__ = ["LoadedTable", "TableOptions", "load_table"]


@dataclass(frozen=True)
class LoadedTable:
    """One table with its schema and where it came from, and the rows of it that could not be read.

    ``given`` says which columns hold samples, where they do; ``links`` which columns name rows of which other table.
    """

    source: str
    source_sha256: str
    schema: TableSchema
    rows: Rows
    rejects: Rejects = field(default_factory=Rejects)
    given: Given | None = None
    links: Mapping[str, str] = field(default_factory=dict)


class TableOptions(TypedDict, total=False):
    """How to read a table, where the guess should not do.

    Attributes:
        label: What one row is; by default the file's name, or "record" where there is no file.
        entity: The column, or columns, that name a row; by default the first text column without
            repeats and gaps.
        columns: Source name to readable name of the columns to use; by default all.
        schema_file: A ``schema.json`` that says label, entity, columns and their types, in place of the guess.
        max_rejects: Fraction of the rows that may be left out because a value of theirs can't be read.
        given: For a table that holds samples already: part, such as "question" and "answer", to column; False for
            rows to ask about, whatever the columns are called. By default the columns' names decide, where
            neither entity nor columns are named; see :mod:`.given`.
        links: Column to the label of the table whose rows its values name, or to LABEL.COLUMN; see :mod:`.links`.
    """

    label: str | None
    entity: str | Sequence[str] | None
    columns: Mapping[str, str] | None
    schema_file: str | Path | None
    max_rejects: float
    given: Mapping[str, str] | Literal[False] | None
    links: Mapping[str, str]


def load_table(source: Source, options: TableOptions) -> LoadedTable:
    """Read a source.

    Raises:
        DataError: A named column is missing, too many rows can't be read, or nothing can be used.
        UsageError: A schema file is given, and what it says besides.
    """
    try:
        given = _given(source, options)
        if given:
            schema = given.schema(options.get("label") or source.label)
            rows, rejects = _as_they_are(source), Rejects()
        else:
            schema = _schema(source, options)
            rows, rejects = read_rows(source.batches, schema, options.get("max_rejects", MAX_REJECTS))
            _require_values(schema, rows)
    except DataError as error:
        error.where = error.where or source.name
        raise
    return LoadedTable(source.name, source.sha256, schema, rows, rejects, given, options.get("links") or {})


def _given(source: Source, options: TableOptions) -> Given | None:
    """Which columns hold samples, where the table holds samples already."""
    if options.get("schema_file") is not None:
        return None
    names: list[str] = next((batch.rows.schema.names for batch in source.batches()), [])
    is_told = bool(options.get("entity") or options.get("columns"))
    return format_of(source.name, names, options.get("given"), guess=not is_told)


def _as_they_are(source: Source) -> Rows:
    """All rows and columns, nested values kept."""
    writer = RowsWriter()
    for batch in source.read().to_batches():
        writer.add(batch)
    return writer.finish()


def _schema(source: Source, options: TableOptions) -> TableSchema:
    """What the schema file says of a table, or else the table itself."""
    entity, columns, path = options.get("entity"), options.get("columns"), options.get("schema_file")
    if path is None:
        names = [entity] if isinstance(entity, str) else entity
        most = options.get("max_rejects", MAX_REJECTS)
        return infer_from(source.batches(), options.get("label") or source.label, names, columns, most)
    if entity or columns:
        raise UsageError(
            "A schema file says which columns name a row and which are used.",
            where=path,
            next_step="Give the schema file, or else entity and columns.",
        )
    return read_schema(Path(path), options.get("label"))


def _require_values(schema: TableSchema, rows: Iterable[Mapping[str, object]]) -> None:
    if not any(schema.entity_of(row) for row in rows):
        raise DataError(
            f"The column {schema.entity[0]!r} names the rows and is empty in every row.",
            next_step="Name another entity column.",
        )
    if not any(schema.entity_of(row) and schema.facts_of(row) for row in rows):
        raise DataError(
            f"The table {schema.label!r} has no value to ask for in any row that has a name.",
            next_step="Fill its columns, or name other columns.",
        )
