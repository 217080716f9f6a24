"""Where rows come from: a ``Source``, and the files that one can be made of.

A new kind of file is one function and one :func:`register_reader`. Does not know what the columns mean.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from attar.runtime.errors import DataError, UsageError
from attar.runtime.files import sha256_file

from .columns import column_of
from .schema import written

__all__ = [
    "READERS",
    "Reader",
    "Source",
    "file_source",
    "read_csv",
    "read_json",
    "read_parquet",
    "read_table",
    "register_reader",
]

Reader = Callable[[Path], pa.Table]
"""Reads a file; what it raises of ``ValueError``, ``OSError`` and Arrow's errors becomes a ``DataError``."""


@dataclass(frozen=True)
class Source:
    """Rows, and what identifies them.

    Attributes:
        name: The file, or the database and query; without secrets, as it goes into samples and errors.
        sha256: Hash of the file, or of the rows where there is no file.
        label: What one row is, where nobody says otherwise.
        read: Gives the rows.
    """

    name: str
    sha256: str
    label: str
    read: Callable[[], pa.Table]

    @classmethod
    def of_rows(cls, name: str, table: pa.Table, label: str = "record") -> Source:
        """A source of rows that are there already.

        Raises:
            DataError: There are no rows, or two columns of one name.
        """
        _refuse_unusable(table, name)
        return cls(name, _rows_sha256(table), label, lambda: table)


def file_source(path: Path, reader: Reader | None = None) -> Source:
    """A file, read by ``reader`` or by the end of its name.

    Raises:
        DataError: There is no such file.
    """
    _require_file(path)
    return Source(str(path), sha256_file(path), path.stem, lambda: read_table(path, reader))


def read_csv(path: Path) -> pa.Table:
    """A CSV file with a header line. Only an empty cell is NULL: "NA" may be Namibia."""
    convert = pa.csv.ConvertOptions(null_values=[""], strings_can_be_null=True)
    return pa.csv.read_csv(path, convert_options=convert)


def read_json(path: Path) -> pa.Table:
    """A JSON array of objects, or one object a line (JSONL)."""
    rows = _json_rows(path)
    names = dict.fromkeys(key for row in rows for key in row)
    return pa.table({name: column_of([row.get(name) for row in rows]) for name in names})


def read_parquet(path: Path) -> pa.Table:
    """A Parquet file."""
    return pa.parquet.read_table(path)


READERS: dict[str, Reader] = {
    ".csv": read_csv,
    ".json": read_json,
    ".jsonl": read_json,
    ".parquet": read_parquet,
}
"""Which reader opens which file, by the end of its name."""


def register_reader(suffix: str, reader: Reader) -> None:
    """Let ``reader`` open the files whose names end in ``suffix``, such as ".tsv".

    Raises:
        UsageError: The suffix is not a dot and lower-case letters or digits.
    """
    if not (suffix.startswith(".") and suffix[1:].isalnum() and suffix == suffix.lower()):
        raise UsageError(f"{suffix!r} does not end a file's name.", next_step='Write it as ".tsv".')
    READERS[suffix] = reader


def read_table(path: Path, reader: Reader | None = None) -> pa.Table:
    """Read a file, by the end of its name where no reader is given.

    Raises:
        DataError: The file is missing, empty or not what its name says, its columns' names repeat, or no reader
            is registered for it.
    """
    _require_file(path)
    reader = reader or READERS.get(path.suffix.lower())
    if reader is None:
        raise DataError(
            f"No reader for files that end in {path.suffix!r}.",
            where=path,
            next_step=f"Convert the table to one of: {', '.join(READERS)}.",
        )
    try:
        table = reader(path)
        _refuse_unusable(table, path)  # here, since Arrow decodes a header no sooner
    except (pa.ArrowException, ValueError, OSError) as error:
        raise DataError(
            "The table can't be read.",
            where=path,
            why=error,
            next_step="Check that the file is whole, in UTF-8, and that its contents match the end of its name.",
        ) from error
    return table


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


def _rows_sha256(table: pa.Table) -> str:
    """Hash of names, types and written values; the same however the rows came in batches."""
    digest = hashlib.sha256(json.dumps([[field.name, str(field.type)] for field in table.schema]).encode())
    for batch in table.to_batches(max_chunksize=10_000):
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            digest.update(json.dumps([written(value) for value in row]).encode())
    return digest.hexdigest()


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise DataError(
            "There is no such table.",
            where=path,
            next_step="Check the path; in a config it is relative to the config file.",
        )


def _refuse_unusable(table: pa.Table, where: object) -> None:
    if table.num_rows == 0:
        raise DataError("The table has no rows.", where=where, next_step="Give a table with at least one row of data.")
    names = table.column_names
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise DataError(
            f"Two columns have the same name: {', '.join(repeated)}.",
            where=where,
            next_step="Rename one of them, in the file or by AS in the query.",
        )
