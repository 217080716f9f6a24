"""Rows of one query on SQLite or PostgreSQL, streamed to Arrow over a connection that can only read.

SQLite is opened with ``mode=ro``, so a missing file is not created, and may attach no other file, as that would be
created; PostgreSQL in a read-only transaction and through a server-side cursor, which takes one statement that
gives rows. So whatever would write is refused by the database itself. Does not know what the columns mean.

Types are those of the driver. SQLite has only whole numbers, floats, text and bytes: its dates are text and its
booleans 0 and 1, as it stores them. PostgreSQL's times with a zone come in UTC, wherever the reader sits.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from attar.runtime.errors import DataError, MissingExtra

from .columns import column_of
from .connections import address, scrubbed, shown
from .readers.arrow import batches_of
from .sources import Source
from .spool import Spool

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine

__all__ = ["database_source"]

_BATCH_ROWS = 10_000
_CONNECT_SECONDS = 10
_LOCK_SECONDS = "5"
_NEXT = {
    "SQLITE_BUSY": "Another program holds it: wait until that is done, or wait longer with ?timeout=SECONDS.",
    "SQLITE_CORRUPT": "Restore the file from a backup, or run: sqlite3 FILE .recover",
    "SQLITE_NOTADB": "Check that the file is a SQLite database.",
}
"""What to do about errors that are not the query's, by their names in SQLite."""


def database_source(connection: str, query: str) -> Source:
    """Run a query and hand on its rows.

    The rows are fetched here and now, into a temporary file: their hash is what tells whether the database has
    changed. Without ORDER BY a database may give them in another order, and then in another hash.

    Args:
        connection: See :func:`~attar.pipeline.data.connections.address`. A SQLite URL takes ``?timeout=SECONDS`` to
            wait for a lock, a PostgreSQL URL what libpq takes, such as ``?connect_timeout=SECONDS``.
        query: One statement that gives rows.

    Raises:
        UsageError: The connection string can't be read, or its environment variable is not set.
        MissingExtra: The database's driver is not installed.
        DataError: The database can't be reached or read, refuses the query, or gives no rows.
    """
    url = address(connection)
    rows = _fetched(url, query)
    name = f"{shown(url)}: {' '.join(query.split())}"
    typed = url.drivername != "sqlite"
    if not any(batch.num_rows for batch in rows):
        raise DataError(
            "The query gives no rows.",
            where=shown(url),
            next_step="Run it in a database client, and widen it until it gives rows.",
        )
    return Source.of_batches(name, lambda: batches_of(rows, name, typed=typed))


def _fetched(url: URL, query: str) -> Spool:
    from sqlalchemy.exc import SQLAlchemyError

    engine = _engine(url)
    try:
        with engine.connect() as connection:
            return Spool(_batches(connection.execution_options(postgresql_readonly=True), query))
    except (SQLAlchemyError, ValueError, OSError) as error:
        # What a driver says may hold the password, so neither its text nor the error itself is passed on.
        raise _unreadable(error, url) from None
    finally:
        engine.dispose()


def _batches(connection: Connection, query: str) -> Iterator[pa.RecordBatch]:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET TIME ZONE 'UTC'")
    # Without parameters, % and : in a query are what they are.
    options = {"stream_results": True, "no_parameters": True, "max_row_buffer": _BATCH_ROWS}
    result = connection.exec_driver_sql(query, execution_options=options)
    names = list(result.keys())
    for rows in result.partitions(_BATCH_ROWS):
        yield pa.RecordBatch.from_arrays([column_of(values) for values in zip(*rows, strict=True)], names)


def _engine(url: URL) -> Engine:
    from sqlalchemy import NullPool, create_engine

    if url.drivername == "sqlite":
        return create_engine("sqlite://", creator=partial(_sqlite, url), poolclass=NullPool)
    wait = {} if "connect_timeout" in url.query else {"connect_timeout": _CONNECT_SECONDS}
    try:
        return create_engine(url, poolclass=NullPool, connect_args={"application_name": "attar", **wait})
    except ModuleNotFoundError as error:
        raise MissingExtra(
            "PostgreSQL needs a driver that is not installed.",
            why=f"There is no module {error.name!r}.",
            next_step="Run: pip install 'attar[postgres]'",
        ) from None


def _sqlite(url: URL) -> sqlite3.Connection:
    path = Path(url.database or "")
    if not path.is_file():
        raise DataError(
            "There is no such database file.",
            where=path,
            next_step="Check the path; in a config it is relative to the config file.",
        )
    timeout = float(str(url.query.get("timeout", _LOCK_SECONDS)))
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=timeout)
    connection.set_authorizer(
        lambda action, *_: sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_ATTACH else sqlite3.SQLITE_OK
    )
    return connection


def _unreadable(error: Exception, url: URL) -> DataError:
    """What went wrong, and by when it did what to do next."""
    from sqlalchemy.exc import DBAPIError

    cause = getattr(error, "orig", None) or error
    what = "The database can't be read."
    next_step = "Write one SELECT, as the connection can only read, and try it in a database client."
    if isinstance(error, DBAPIError) and error.statement is None:
        what = "The database can't be opened."
        next_step = "Check the address, user and password, and that the server runs."
    elif isinstance(error, DBAPIError) and error.connection_invalidated:
        what = "The connection to the database was lost while its rows were read."
        next_step = "Check that the server runs, then run the same command again; nothing half read was kept."
    lines = str(cause).strip().splitlines() or [type(cause).__name__]
    name = getattr(cause, "sqlite_errorname", None)
    return DataError(what, where=shown(url), why=scrubbed(lines[0], url), next_step=_NEXT.get(name or "", next_step))
