"""Any table, written in four formats and read by one schema: the same rows, and the same samples."""

from __future__ import annotations

import csv
import datetime
import json
import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from attar.pipeline import StructuredDataLoader
from attar.pipeline.data import LoadedTable
from attar.pipeline.data.types import TYPES

Row = dict[str, Any]

COLUMNS = {"name": "text", "n": "integer", "x": "number", "note": "text", "day": "date", "open": "yes/no"}
SCHEMA = {
    "tables": [
        {
            "label": "thing",
            "entity": ["name"],
            "columns": [
                {"name": name, "label": name, "type": kind, "asked": name != "name"} for name, kind in COLUMNS.items()
            ],
        }
    ]
}
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
VALUES = st.fixed_dictionaries(
    {
        "n": st.none() | st.integers(-(2**63), 2**63 - 1),
        "x": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "note": st.none() | TEXT,
        "day": st.none() | st.dates(),
        "open": st.none() | st.booleans(),
    }
)


def plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime.date) else value


def as_csv(path: Path, rows: Sequence[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for row in rows:
            cells = [plain(value) for value in row.values()]
            writer.writerow([str(cell).lower() if isinstance(cell, bool) else cell for cell in cells])


def as_jsonl(path: Path, rows: Sequence[Row]) -> None:
    lines = (json.dumps({name: plain(value) for name, value in row.items()}) for row in rows)
    path.write_text("".join(f"{line}\n" for line in lines))


def as_parquet(path: Path, rows: Sequence[Row]) -> None:
    schema = pa.schema([(name, TYPES[kind]) for name, kind in COLUMNS.items()])
    pq.write_table(pa.Table.from_pylist(list(rows), schema), path)


def as_sqlite(path: Path, rows: Sequence[Row]) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"CREATE TABLE thing ({', '.join(COLUMNS)})")
        marks = ", ".join("?" * len(COLUMNS))
        database.executemany(
            f"INSERT INTO thing VALUES ({marks})", [[plain(value) for value in row.values()] for row in rows]
        )


def loaded(folder: Path, rows: Sequence[Row]) -> list[tuple[StructuredDataLoader, LoadedTable]]:
    (folder / "schema.json").write_text(json.dumps(SCHEMA))
    found = []
    for suffix, write in ((".csv", as_csv), (".jsonl", as_jsonl), (".parquet", as_parquet), (".db", as_sqlite)):
        path = folder / f"thing{suffix}"
        write(path, rows)
        loader = StructuredDataLoader(test_share=0.5)
        if suffix == ".db":
            query = "SELECT * FROM thing ORDER BY rowid"
            table = loader.load_from_database(f"sqlite:///{path}", query, schema_file=folder / "schema.json")
        else:
            table = loader.load(path, schema_file=folder / "schema.json")
        found.append((loader, table))
    return found


@settings(max_examples=40, deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=6))
def test_the_same_rows_in_four_formats_are_the_same_rows_and_samples(values: list[Row]) -> None:
    rows = [{"name": f"thing {number}"} | {"note": None} | row for number, row in enumerate(values)]
    rows = [{name: row[name] for name in COLUMNS} for row in rows]
    rows[0]["n"] = 5  # so that there is something to ask for
    expected = [row | {"note": row["note"] or None} for row in rows]
    with tempfile.TemporaryDirectory() as folder:
        tables = loaded(Path(folder), rows)
        for _, table in tables:
            assert list(table.rows) == expected
            assert len(table.rejects) == 0
        first, *others = [
            [
                (sample.id, sample.messages, sample.answer, sample.split)
                for sample in loader.prepare_distillation_dataset()
            ]
            for loader, _ in tables
        ]
        assert first
        for other in others:
            assert other == first
