"""Where rows come from: a ``Source``, and the files that one can be made of.

A new kind of file is one file in ``readers`` and one line in ``READERS``, or a call of :func:`register_reader`. Does
not know how a kind of file is read, nor what the columns mean.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa

from attar.runtime.errors import DataError, UsageError
from attar.runtime.files import sha256_file, sha256_text

from .batches import Batch
from .fingerprint import rows_sha256
from .names import require_usable_names
from .readers import read_arrow, read_csv, read_json, read_parquet, read_tsv
from .readers.arrow import batches_of
from .readers.compression import COMPRESSED
from .whole import whole_table

__all__ = ["READERS", "Reader", "Source", "file_source", "label_of", "read_table", "register_reader", "text_reader"]

Reader = Callable[[Path], pa.Table | Iterable[Batch]]
"""Reads a file, at once or in batches; what it raises of ``ValueError``, ``OSError``, ``EOFError`` and Arrow's errors
becomes a ``DataError``."""

_TEXT_READERS: dict[str, Reader] = {".csv": read_csv, ".tsv": read_tsv, ".json": read_json, ".jsonl": read_json}

READERS: dict[str, Reader] = {
    **{suffix + end: reader for suffix, reader in _TEXT_READERS.items() for end in ("", *COMPRESSED)},
    ".parquet": read_parquet,
    ".arrow": read_arrow,
    ".feather": read_arrow,
    ".ipc": read_arrow,
}
"""Which reader opens which file, by the end of its name."""
_TYPED = (".parquet", ".arrow", ".feather", ".ipc")
"""Ends of names of files that are no text."""


@dataclass(frozen=True)
class Source:
    """Rows, and what identifies them.

    Attributes:
        name: The file, or the database and query; without secrets, as it goes into samples and errors.
        sha256: Hash of the file, or of the rows where there is no file.
        label: What one row is, where nobody says otherwise.
        batches: Gives the rows from the first one, each time it is called. Raises ``DataError`` where they end
            too soon, so nothing may be kept before the end is reached.
    """

    name: str
    sha256: str
    label: str
    batches: Callable[[], Iterator[Batch]]

    @classmethod
    def of_rows(cls, name: str, table: pa.Table, label: str = "record") -> Source:
        """A source of rows that are there already.

        Raises:
            DataError: There are no rows, or columns of one name or without one.
        """
        return cls.of_batches(name, lambda: batches_of(table.to_batches(), name), label)

    @classmethod
    def of_batches(cls, name: str, batches: Callable[[], Iterator[Batch]], label: str = "record") -> Source:
        """A source without a file: the hash is that of the rows, which are read for it.

        Raises:
            DataError: There are no rows, or columns of one name or without one.
        """

        def usable() -> Iterator[Batch]:
            return _usable(batches(), name)

        return cls(name, rows_sha256(usable), label, usable)

    def read(self) -> pa.Table:
        """All rows at once.

        Raises:
            DataError: They can't be read, or one of them can't.
        """
        return whole_table(self.batches(), self.name)


def file_source(path: Path, reader: Reader | None = None) -> Source:
    """A file, all files of a folder, or all that a pattern such as ``tables/city-*.csv`` names, in order of name.

    Args:
        path: The file, folder or pattern.
        reader: What opens the files, where the end of their names should not tell.

    Raises:
        DataError: There is no such file, no reader for it, or the folder holds files of several kinds.
    """
    if path.is_file():
        chosen = reader or _reader_of(path)
        return Source(str(path), sha256_file(path), label_of(path), lambda: _file_batches(path, chosen))
    files = _files(path)
    if reader is None:
        _require_one_kind(files, path)
    chosen = reader or _reader_of(files[0])
    hashes = "\n".join(f"{sha256_file(file)}  {file.name}" for file in files)
    return Source(
        str(path),
        sha256_text(hashes),
        label_of(path),
        lambda: (batch for file in files for batch in _file_batches(file, chosen)),
    )


def label_of(path: Path) -> str:
    """What one row is, where nobody says: the name of the file without its ends, or of the folder."""
    if path.is_dir():
        return path.name
    if not path.is_file() and any(sign in path.name for sign in "*?["):
        return path.parent.name or "record"
    plain = path.with_suffix("") if path.suffix.lower() in COMPRESSED else path
    return plain.stem


def register_reader(suffix: str, reader: Reader) -> None:
    """Let ``reader`` open the files whose names end in ``suffix``, such as ".tsv".

    Raises:
        UsageError: The suffix is not a dot and lower-case letters or digits.
    """
    if not (suffix.startswith(".") and suffix[1:].isalnum() and suffix == suffix.lower()):
        raise UsageError(f"{suffix!r} does not end a file's name.", next_step='Write it as ".tsv".')
    READERS[suffix] = reader


def text_reader(path: Path, *, delimiter: str | None = None, encoding: str | None = None) -> Reader | None:
    """How to read a text file of which more is said than its name tells; None where nothing is.

    Args:
        path: The file, folder or pattern.
        delimiter: See :func:`~.readers.read_csv`.
        encoding: See :func:`~.readers.text.opened_text`.

    Raises:
        UsageError: The file has no such thing.
    """
    if delimiter is None and encoding is None:
        return None
    name = path.name.lower()
    is_json = ".json" in name
    if (is_json and delimiter is not None) or name.endswith(_TYPED):
        raise UsageError(
            f"A file that ends in {path.suffix!r} has no {'delimiter' if delimiter is not None else 'encoding'}.",
            where=path,
            next_step="Leave it out: it is for text, a delimiter for CSV alone.",
        )
    if is_json:
        return partial(read_json, encoding=encoding)
    delimiter = delimiter or ("\t" if ".tsv" in name else None)
    return partial(read_csv, delimiter=delimiter, encoding=encoding)


def read_table(path: Path, reader: Reader | None = None) -> pa.Table:
    """Read a file as a whole; see :func:`file_source` and :meth:`Source.read`."""
    return file_source(path, reader).read()


def _reader_of(path: Path) -> Reader:
    fitting = [suffix for suffix in READERS if path.name.lower().endswith(suffix)]
    if not fitting:
        raise DataError(
            f"No reader for files that end in {path.suffix!r}.",
            where=path,
            next_step=f"Convert the table to one of: {', '.join(READERS)}.",
        )
    return READERS[max(fitting, key=len)]


def _files(path: Path) -> list[Path]:
    is_folder = path.is_dir()
    found = path.iterdir() if is_folder else path.parent.glob(path.name)
    files = sorted(file for file in found if file.is_file() and not file.name.startswith("."))
    if files:
        return files
    if is_folder or any(sign in path.name for sign in "*?["):
        raise DataError(
            f"There are no tables {'in the folder' if is_folder else 'by that pattern'}.",
            where=path,
            next_step=f"Put files there that end in one of: {', '.join(READERS)}.",
        )
    raise DataError(
        "There is no such table.",
        where=path,
        next_step="Check the path; in a config it is relative to the config file.",
    )


def _require_one_kind(files: Sequence[Path], path: Path) -> None:
    kinds = {_reader_of(file) for file in files}
    if len(kinds) > 1:
        raise DataError(
            "The folder holds files of several kinds, which can't be one table.",
            where=path,
            why=f"They end in: {', '.join(sorted({''.join(file.suffixes[-2:]) or file.name for file in files}))}.",
            next_step=f"Name the ones to read by a pattern, such as {path / f'*{files[0].suffix}'}.",
        )


def _file_batches(path: Path, reader: Reader) -> Iterator[Batch]:
    """The batches of one file, checked; whatever goes wrong in reading is a ``DataError``."""
    try:
        found = reader(path)
        batches = batches_of(found.to_batches(), str(path)) if isinstance(found, pa.Table) else iter(found)
        yield from _usable(batches, path)
    except (pa.ArrowException, ValueError, OSError, EOFError, zlib.error) as error:
        raise DataError(
            "The table can't be read.",
            where=path,
            why=str(error) or type(error).__name__,
            next_step="Check that the file is whole, in UTF-8, and that its contents match the end of its name.",
        ) from error


def _usable(batches: Iterable[Batch], where: object) -> Iterator[Batch]:
    """The batches, which have rows and columns that can be told apart.

    Raises:
        DataError: They have not; of missing rows it is raised at the end, after what was left out is handed on.
    """
    rows = 0
    names: Sequence[str] = ()
    left_out = None
    for batch in batches:
        if batch.rows.schema.names != names:
            names = batch.rows.schema.names
            require_usable_names(names, where)
        rows += batch.rows.num_rows
        left_out = left_out or next(iter(batch.rejects), None)
        yield batch
    if not rows:
        raise DataError(
            "The table has no rows.",
            where=where,
            why=left_out and f"None could be read; of the first: {left_out.reason}.",
            next_step="Give a table with at least one row of data.",
        )
