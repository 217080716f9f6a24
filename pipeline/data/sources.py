"""Tables from files: CSV, JSON, JSONL and Parquet, each as one Arrow table.

A new source is one function and one line in ``READERS``. Does not know what the columns mean.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from attar.runtime.errors import DataError

from .schema import written

__all__ = ["READERS", "read_csv", "read_json", "read_parquet", "read_table"]


def read_csv(path: Path) -> pa.Table:
    """A CSV file with a header line. Only an empty cell is NULL: "NA" may be Namibia.

    Raises:
        DataError: The file is missing, empty or not CSV.
    """
    convert = pa.csv.ConvertOptions(null_values=[""], strings_can_be_null=True)
    return _read(path, lambda: pa.csv.read_csv(path, convert_options=convert))


def read_json(path: Path) -> pa.Table:
    """A JSON array of objects, or one object a line (JSONL).

    Raises:
        DataError: The file is missing or not JSON, or its items are not objects.
    """
    return _read(path, lambda: pa.table(_json_columns(path)))


def read_parquet(path: Path) -> pa.Table:
    """A Parquet file.

    Raises:
        DataError: The file is missing or not Parquet.
    """
    return _read(path, lambda: pa.parquet.read_table(path))


READERS: dict[str, Callable[[Path], pa.Table]] = {
    ".csv": read_csv,
    ".json": read_json,
    ".jsonl": read_json,
    ".parquet": read_parquet,
}
"""Which reader opens which file, by the end of its name."""


def read_table(path: Path) -> pa.Table:
    """Read a file by the end of its name.

    Raises:
        DataError: No reader is registered for it, or the reader fails.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise DataError(
            f"No reader for files that end in {path.suffix!r}.",
            where=path,
            next_step=f"Convert the table to one of: {', '.join(READERS)}.",
        )
    return reader(path)


def _json_columns(path: Path) -> dict[str, pa.Array]:
    rows = _json_rows(path)
    names = dict.fromkeys(key for row in rows for key in row)
    return {name: _json_column([row.get(name) for row in rows]) for name in names}


def _json_column(values: list[object]) -> pa.Array:
    """One type for a column; where its values have several, they become text."""
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([written(value) for value in values], pa.string())


def _json_rows(path: Path) -> list[dict[str, object]]:
    text = path.read_text(encoding="utf-8-sig")
    if text.lstrip().startswith("["):
        rows = json.loads(text)
    else:
        rows = [_json_line(line, number) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise ValueError(f"item {number} is a {type(row).__name__}, not an object")
    return list(rows)


def _json_line(line: str, number: int) -> object:
    try:
        return json.loads(line)
    except ValueError as error:
        raise ValueError(f"line {number}: {error}") from error


def _read(path: Path, read: Callable[[], pa.Table]) -> pa.Table:
    if not path.is_file():
        raise DataError(
            "There is no such table.",
            where=path,
            next_step="Check the path; in a config it is relative to the config file.",
        )
    try:
        table = read()
    except (pa.ArrowException, ValueError, OSError) as error:
        raise DataError(
            "The table can't be read.",
            where=path,
            why=error,
            next_step="Check that the file is whole and its contents match the end of its name.",
        ) from error
    _refuse_unusable(table, path)
    return table


def _refuse_unusable(table: pa.Table, path: Path) -> None:
    if table.num_rows == 0:
        raise DataError("The table has no rows.", where=path, next_step="Give a table with at least one row of data.")
    names = table.column_names
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise DataError(
            f"Two columns have the same name: {', '.join(repeated)}.",
            where=path,
            next_step="Rename one of them in the file.",
        )
