"""Where a database is: its address, and that address as everybody but the driver sees it.

A password leaves this module in the URL that is opened and in no other text. Does not open databases.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from attar.runtime.errors import UsageError

if TYPE_CHECKING:
    from sqlalchemy import URL

__all__ = ["address", "redacted", "relative_to", "scrubbed", "shown"]

_ENVIRONMENT = "env:"
_SQLITE_FILE = "sqlite:///"
_SCHEMES = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
}
"""Databases that can be opened for reading only, and the driver that does it."""
_HARMLESS = frozenset({"connect_timeout", "dbname", "host", "hostaddr", "port", "sslmode", "timeout", "user"})
"""Options whose values may be shown; any other may be a password."""
_HIDDEN = "***"


def address(connection: str) -> URL:
    """The URL of a database.

    Args:
        connection: ``sqlite:///PATH``, ``postgresql://USER:PASSWORD@HOST/DATABASE``, or ``env:NAME`` for the
            environment variable that holds one of these.

    Raises:
        UsageError: The variable is not set, the text is no such URL, or the database is of another kind.
    """
    if not connection.startswith(_ENVIRONMENT):
        return _parsed(connection)
    name = connection.removeprefix(_ENVIRONMENT)
    if not name.isidentifier():
        raise UsageError("After 'env:' comes the name of an environment variable.", next_step="Such as env:ATTAR_DB.")
    if not os.environ.get(name):
        raise UsageError(
            f"The environment variable {name} is not set.",
            why=f"The connection string of a database is {connection}.",
            next_step=f"Run: export {name}='postgresql://USER:PASSWORD@HOST/DATABASE'",
        )
    return _parsed(os.environ[name])


def shown(url: URL) -> str:
    """A URL as text without its password, and without the value of any option that could be one."""
    hidden = {name: value if name in _HARMLESS else _HIDDEN for name, value in url.query.items()}
    text = url.set(query=hidden).render_as_string(hide_password=True)
    return text.replace(quote(_HIDDEN, safe=""), _HIDDEN)


def redacted(connection: str) -> str:
    """A connection string without secrets; never raises, since it is what errors and records show."""
    name = connection.removeprefix(_ENVIRONMENT)
    if name != connection:
        return connection if name.isidentifier() else _HIDDEN
    try:
        return shown(_parsed(connection))
    except UsageError:
        return _HIDDEN


def scrubbed(text: str, url: URL) -> str:
    """What a driver said, without the secrets of the URL that it was given, however they are spelled."""
    options = [value for name, value in url.query.items() if name not in _HARMLESS]
    secrets = [str(url.password or "")]
    for value in options:
        secrets += [value] if isinstance(value, str) else value
    spellings = {spelling for secret in secrets for spelling in (secret, quote(secret, safe=""), quote_plus(secret))}
    for spelling in sorted(spellings - {""}, key=len, reverse=True):
        text = text.replace(spelling, _HIDDEN)
    return text


def relative_to(connection: str, folder: Path) -> str:
    """The connection string with the path of a SQLite file taken relative to a folder; any other as it is."""
    path = connection.removeprefix(_SQLITE_FILE)
    return connection if path in (connection, "") else f"{_SQLITE_FILE}{folder / path}"


def _parsed(text: str) -> URL:
    from sqlalchemy import make_url

    try:
        url = make_url(text)
    except Exception:  # whatever the parser says may quote the password
        raise _unreadable() from None
    if url.drivername not in _SCHEMES:
        raise UsageError(
            f"attar reads SQLite and PostgreSQL, not {url.drivername!r}.",
            why="Other databases can't be held to reading only.",
            next_step="Save the query's rows to a file, or write a source as examples/own_source.py does.",
        )
    url = url.set(drivername=_SCHEMES[url.drivername])
    is_file = url.drivername == "sqlite"
    if is_file and (url.host or not url.database or url.database == ":memory:"):
        raise UsageError("A SQLite database is named by its file.", next_step="Write sqlite:///PATH.")
    if not is_file and "@" in f"{url.host}{url.database}":
        raise _unreadable()  # a part of the password would pass for the host
    return url


def _unreadable() -> UsageError:
    return UsageError(
        "The connection string can't be read.",
        why="It is not shown, as it may hold a password.",
        next_step="Write sqlite:///PATH or postgresql://USER:PASSWORD@HOST/DATABASE; "
        "in a password, @ is written %40 and / is %2F.",
    )
