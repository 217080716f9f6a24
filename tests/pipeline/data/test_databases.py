"""Queries on real databases: types kept, nothing written, and what goes wrong said without a secret."""

from __future__ import annotations

import datetime
import sqlite3
import sys
import threading
import time
import traceback
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from attar.pipeline import StructuredDataLoader
from attar.pipeline.data import databases
from attar.pipeline.data.databases import database_source
from attar.runtime.errors import DataError, MissingExtra
from tests.pipeline.data.conftest import PASSWORD, Postgres

UTC = datetime.UTC


def rows(connection: str | Path, query: str) -> list[dict[str, object]]:
    name = f"sqlite:///{connection}" if isinstance(connection, Path) else connection
    return database_source(name, query).read().to_pylist()


def refused(connection: str | Path, query: str) -> DataError:
    """The error of a query; its whole traceback was searched for the password."""
    with pytest.raises(DataError) as caught:
        rows(connection, query)
    printed = "".join(traceback.format_exception(caught.value))
    assert "Sesam" not in printed
    assert "ffne" not in printed
    assert caught.value.next_step
    return caught.value


def test_every_type_of_postgresql_comes_as_it_is(postgres: Postgres) -> None:
    everything = "name, population, area, rating, founded, seen, written, opens, coastal, tags, facts, id"
    found = rows(postgres.reader, f"SELECT {everything} FROM city ORDER BY population")
    assert found[0] == {
        "name": "Århus",
        "population": 285273,
        "area": 91.5,
        "rating": Decimal("4.50"),
        "founded": datetime.date(770, 1, 1),
        "seen": datetime.datetime(2024, 5, 1, 10, 0, tzinfo=UTC),
        "written": datetime.datetime(2024, 5, 1, 12, 0),
        "opens": datetime.time(8, 30),
        "coastal": True,
        "tags": ["port", "old town"],
        "facts": {"mayor": "A"},
        "id": UUID("6bc0fd34-dc47-4a98-8f4e-65431a259454"),
    }
    assert (found[1]["name"], found[1]["rating"], found[1]["tags"]) == ("東京", Decimal("1234.56"), [])
    assert [value for key, value in found[2].items() if key != "name"] == [None] * 11
    assert found[2]["name"] == "O'Hare %s :x"


def test_sqlite_gives_what_it_stores(sqlite_file: Path) -> None:
    assert rows(sqlite_file, "SELECT name, population, area FROM city ORDER BY name DESC") == [
        {"name": "Århus", "population": 285273, "area": 91.5},
        {"name": "Cork", "population": 222333, "area": None},
    ]
    assert rows(sqlite_file, "SELECT * FROM large") == [{"name": "Århus", "population": 285273}]


def test_types_that_change_between_batches_find_a_common_one(
    sqlite_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "_BATCH_ROWS", 2)
    query = "SELECT column1 AS a, column2 AS b, column3 AS c FROM (VALUES (1, NULL, 1), (2, 5, 'x'), (2.5, 6, 'y'))"
    expected = [{"a": 1.0, "b": None, "c": "1"}, {"a": 2.0, "b": 5, "c": "x"}, {"a": 2.5, "b": 6, "c": "y"}]
    assert rows(sqlite_file, query) == expected


def test_percent_and_colon_in_a_query_are_text(postgres: Postgres, sqlite_file: Path) -> None:
    assert len(rows(postgres.reader, "SELECT name FROM city WHERE name LIKE '% %s :x'")) == 1
    assert len(rows(postgres.reader, "WITH c AS (SELECT * FROM large) SELECT name, '12:30 :x' AS t FROM c")) == 1
    assert rows(sqlite_file, "SELECT '50% :x ?' AS a")[0]["a"] == "50% :x ?"


def test_the_hash_is_of_the_rows(postgres: Postgres) -> None:
    def source(query: str) -> str:
        return database_source(postgres.reader, query).sha256

    first = source("SELECT name, population FROM city ORDER BY name")
    assert source("SELECT name, population FROM city ORDER BY 1") == first
    assert source("SELECT name, population + 1 AS population FROM city ORDER BY name") != first
    assert source("SELECT name, population::text FROM city ORDER BY name") != first


def test_a_loader_asks_questions_on_a_query(postgres: Postgres, sqlite_file: Path) -> None:
    loader = StructuredDataLoader()
    loader.load_from_database(postgres.reader, "SELECT name, coastal, rating FROM city", label="city")
    loader.load_from_database(f"sqlite:///{sqlite_file}", "SELECT name, area FROM city", columns={"area": "size"})
    answers = {(pair.table, pair.entity, pair.column): pair.answer for pair in loader.create_qa_pairs()}
    assert answers["city", "Århus", "coastal"] == "yes"
    assert answers["city", "Århus", "rating"] == "4.5"
    assert answers["record", "Århus", "area"] == "91.5"
    sources = {sample.source for sample in loader.prepare_distillation_dataset()}
    assert any(
        "reader:***@" in source and source.endswith("SELECT name, coastal, rating FROM city") for source in sources
    )
    assert not any("Sesam" in repr(value) for value in (loader.tables, sources))


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO city (name) VALUES ('new')",
        "INSERT INTO city (name) VALUES ('new') RETURNING name",
        "WITH new AS (INSERT INTO city (name) VALUES ('new') RETURNING name) SELECT * FROM new",
        "SELECT name FROM city; COMMIT; INSERT INTO city (name) VALUES ('new')",
        "SELECT name FROM city; INSERT INTO city (name) VALUES ('new')",
        "DROP TABLE city",
        "CREATE TABLE other (name text)",
        "SELECT nextval('numbers')",
        "",
    ],
)
def test_nothing_is_written(postgres: Postgres, sqlite_file: Path, statement: str) -> None:
    with psycopg.connect(postgres.url, autocommit=True) as owner:
        owner.execute("CREATE SEQUENCE IF NOT EXISTS numbers")
    before = sqlite_file.read_bytes()
    refused(postgres.url, statement)
    refused(sqlite_file, statement)
    assert sqlite_file.read_bytes() == before
    assert len(rows(postgres.url, "SELECT name FROM city")) == 3
    refused(postgres.url, "SELECT * FROM other")


@pytest.mark.parametrize("statement", ["ATTACH DATABASE '{}' AS other", "VACUUM INTO '{}'"])
def test_no_other_file_is_made_by_way_of_sqlite(sqlite_file: Path, tmp_path: Path, statement: str) -> None:
    other = tmp_path / "other.db"
    refused(sqlite_file, statement.format(other))
    assert not other.exists()


def test_what_reads_in_other_ways_is_allowed(sqlite_file: Path) -> None:
    counted = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT max(i) AS m FROM n"
    assert rows(sqlite_file, counted) == [{"m": 3}]
    assert rows(sqlite_file, "SELECT value FROM json_each('[7]')") == [{"value": 7}]
    assert [row["name"] for row in rows(sqlite_file, "PRAGMA table_info(large)")] == ["name", "population"]


def test_a_query_without_rows_and_columns_of_one_name_are_refused(postgres: Postgres, sqlite_file: Path) -> None:
    for connection in (postgres.reader, sqlite_file):
        assert refused(connection, "SELECT name FROM city WHERE name = 'Atlantis'").what == "The query gives no rows."
        error = refused(connection, "SELECT name AS a, name AS a FROM city")
        assert error.what == "Two columns have the same name: a."


def test_bytes_are_refused_by_the_columns_name(postgres: Postgres, sqlite_file: Path) -> None:
    for connection in (postgres.reader, f"sqlite:///{sqlite_file}"):
        with pytest.raises(DataError, match="'photo' holds bytes"):
            StructuredDataLoader().load_from_database(connection, "SELECT name, photo FROM city")
        query = "SELECT name, population, photo FROM city"
        StructuredDataLoader().load_from_database(connection, query, columns={"population": "people"})


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("SELECT * FROM citys", 'relation "citys" does not exist'),
        ("SELEC name FROM city", "syntax error"),
        ("SELECT 1 / (population - 285273) FROM city", "division by zero"),
    ],
)
def test_a_wrong_query_is_told_in_the_servers_words(postgres: Postgres, query: str, why: str) -> None:
    error = refused(postgres.reader, query)
    assert why in str(error.why)
    assert "one SELECT" in str(error.next_step)
    assert "reader:***@" in str(error.where)


def test_a_wrong_password_a_wrong_role_and_a_wrong_host(postgres: Postgres) -> None:
    quoted = postgres.reader.partition("reader:")[2].partition("@")[0]
    wrong = refused(postgres.reader.replace(quoted, "Sesamffne"), "SELECT 1 AS one")
    assert "password authentication failed" in str(wrong.why)
    assert "password" in str(wrong.next_step)
    assert "does not exist" in str(refused(postgres.url.replace("postgres:@", "nobody:@"), "SELECT 1 AS one").why)
    nowhere = refused(f"postgresql://reader:{quoted}@127.0.0.1:9/postgres", "SELECT 1 AS one")
    assert nowhere.what == "The database can't be opened."
    assert "127.0.0.1" in str(nowhere.why)


def test_an_option_the_driver_does_not_know_is_told_without_the_password(postgres: Postgres) -> None:
    for option in ("passwort=Sesam", "password=Sesamffne"):
        refused(f"{postgres.reader}&{option}", "SELECT 1 AS one")


def test_a_connection_lost_in_the_midst_of_reading_says_what_to_do(postgres: Postgres) -> None:
    def cut() -> None:
        with psycopg.connect(postgres.url, autocommit=True) as owner:
            for _ in range(1000):
                found = owner.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'attar' AND query LIKE 'FETCH%'"
                ).fetchall()
                if found:
                    return
                time.sleep(0.01)

    other = threading.Thread(target=cut)
    other.start()
    error = refused(postgres.reader, "SELECT n, md5(n::text) AS hash FROM generate_series(1, 3000000) AS n")
    other.join()
    assert error.exit_code == 4
    assert "was lost while its rows were read" in error.what
    assert "administrator command" in str(error.why)
    assert "run the same command again" in str(error.next_step)


def test_a_missing_file_is_not_created(tmp_path: Path) -> None:
    error = refused(tmp_path / "shop.db", "SELECT 1 AS one")
    assert (error.what, error.where) == ("There is no such database file.", str(tmp_path / "shop.db"))
    assert not (tmp_path / "shop.db").exists()


def test_a_locked_file_a_broken_one_and_one_that_is_no_database(sqlite_file: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(sqlite_file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        error = refused(f"sqlite:///{sqlite_file}?timeout=0.1", "SELECT * FROM city")
        assert "locked" in str(error.why)
        assert "Another program holds it" in str(error.next_step)
    refused(f"sqlite:///{sqlite_file}?timeout=soon", "SELECT * FROM city")
    (tmp_path / "text.db").write_text("name,population\n" * 100)
    assert "is a SQLite database" in str(refused(tmp_path / "text.db", "SELECT * FROM city").next_step)
    whole = bytearray(sqlite_file.read_bytes())
    whole[4096:] = b"\xff" * (len(whole) - 4096)
    sqlite_file.write_bytes(whole)
    assert "malformed" in str(refused(sqlite_file, "SELECT * FROM city").why)


def test_a_missing_driver_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtra) as caught:
        database_source(f"postgresql://reader:{PASSWORD[:5]}@127.0.0.1/shop", "SELECT 1")
    assert caught.value.next_step == "Run: pip install 'attar[postgres]'"
