"""``schema.json``: what tables' columns are, written for a person to see and edit, and read again.

One entry for each table::

    {"tables": [{"label": "airport", "entity": ["name"], "columns": [
        {"name": "name", "label": "name", "type": "text", "asked": false},
        {"name": "city", "label": "city", "type": "text"}]}]}

Does not know the tables themselves.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from attar.runtime.errors import DataError
from attar.runtime.files import read_json, sha256_file, write_json

from .schema import Column, TableSchema, nearest_name
from .types import TYPES

__all__ = ["read_schema", "schema_entry", "schema_sha256", "write_schemas"]

_ENTRY = ("label", "source", "source_sha256", "entity", "columns")
_COLUMN = ("name", "label", "type", "asked")


class _Table(Protocol):
    @property
    def source(self) -> str: ...
    @property
    def source_sha256(self) -> str: ...
    @property
    def schema(self) -> TableSchema: ...


def write_schemas(path: Path, tables: Iterable[_Table]) -> None:
    """Write the schemas of tables, and what each was inferred from, atomically."""
    write_json(path, {"tables": [schema_entry(table) for table in tables]})


def read_schema(path: Path, label: str | None = None) -> TableSchema:
    """Read the schema of one table.

    Args:
        path: What :func:`write_schemas` wrote, edited or not.
        label: What a row of the table is; not needed where the file has one table.

    Raises:
        DataError: The file is missing or no schema, has no such table, or names a type or column that is not there.
    """
    try:
        entries = _list_of(read_json(path), "tables")
        for entry in entries:
            _refuse_unknown(entry, _ENTRY)
        labels = [_text(entry, "label") for entry in entries]
        if label not in labels and (label is not None or len(entries) != 1):
            raise DataError(
                f"The schema has no table {label!r}." if label else "The schema has several tables.",
                why=f"Its tables are: {', '.join(map(repr, labels))}.",
                next_step=nearest_name(label or "", labels),
            )
        return _schema(entries[labels.index(label) if label is not None else 0])
    except DataError as error:
        error.where = str(path)
        raise
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def schema_sha256(path: Path) -> str:
    """SHA-256 of a schema file, as 64 hex digits.

    Raises:
        DataError: It is not there.
    """
    try:
        return sha256_file(path)
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> DataError:
    return DataError(
        "The schema can't be read.",
        where=path,
        why=error,
        next_step="Check the path, and that the file is JSON as a run writes it to schema.json.",
    )


def schema_entry(table: _Table) -> dict[str, Any]:
    """A table's schema, and what it was inferred from, as JSON values."""
    schema = table.schema
    columns = [_column_entry(column) | {"asked": False} for column in schema.unasked]
    return {
        "label": schema.label,
        "source": table.source,
        "source_sha256": table.source_sha256,
        "entity": list(schema.entity),
        "columns": columns + [_column_entry(column) for column in schema.columns],
    }


def _column_entry(column: Column) -> dict[str, Any]:
    return {"name": column.name, "label": column.label, "type": column.type}


def _schema(entry: Mapping[str, Any]) -> TableSchema:
    asked, unasked = list[Column](), list[Column]()
    for item in _list_of(entry, "columns"):
        _refuse_unknown(item, _COLUMN)
        column = Column(_text(item, "name"), _text(item, "label"), _text(item, "type"))
        if column.type not in TYPES:
            raise DataError(
                f"The column {column.name!r} has a type that does not exist: {column.type!r}.",
                why=f"The types are: {', '.join(TYPES)}.",
                next_step=nearest_name(column.type, list(TYPES)),
            )
        if not isinstance(item.get("asked", True), bool):
            raise ValueError(f'"asked" of the column {column.name!r} is neither true nor false')
        (asked if item.get("asked", True) else unasked).append(column)
    names = [column.name for column in (*unasked, *asked)]
    entity = entry.get("entity")
    if not isinstance(entity, list) or not entity or not all(isinstance(name, str) for name in entity):
        raise ValueError('"entity" is not a list of column names')
    for name in entity:
        if name not in names:
            raise DataError(
                f"The schema has no column {name!r}, which its entity names.", next_step=nearest_name(name, names)
            )
    if not asked or len(set(names)) < len(names):
        raise ValueError("no column is asked for" if not asked else "a column is there twice")
    return TableSchema(_text(entry, "label"), tuple(entity), tuple(asked), tuple(unasked))


def _list_of(entry: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    items = entry.get(key)
    if not isinstance(items, list) or not items or not all(isinstance(item, dict) for item in items):
        raise ValueError(f'"{key}" is not a list of JSON objects')
    return items


def _text(entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value:
        raise ValueError(f'"{key}" is missing or no text in {json.dumps(entry, ensure_ascii=False)[:200]}')
    return value


def _refuse_unknown(entry: Mapping[str, Any], known: Sequence[str]) -> None:
    for key in entry:
        if key not in known and not key.startswith("//"):
            raise DataError(f"The schema has a key that is not known: {key!r}.", next_step=nearest_name(key, known))
