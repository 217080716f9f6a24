"""Scenes for the tests of question kinds: the quickstart's tables, and a small one whose answers can be seen."""

from __future__ import annotations

import datetime
import random
from collections.abc import Sequence
from dataclasses import replace

from attar.pipeline import StructuredDataLoader
from attar.pipeline.data.questions import KINDS, Question, Row, Scene
from attar.pipeline.data.schema import Column, TableSchema
from tests.conftest import ROOT

TABLES = ROOT / "configs" / "tables"
COLUMNS = (
    Column("land", "country"),
    Column("people", "population"),
    Column("born", "date of founding"),
    Column("opened", "year of opening"),
    Column("x", "mayor"),
)
SCHEMA = TableSchema("city", ("name",), COLUMNS)


def _row(name: str, land: str, people: int | None, born: datetime.date, opened: int, x: str | None = None) -> Row:
    return {"name": name, "land": land, "people": people, "born": born, "opened": opened, "x": x}


CORK = _row("Cork", "Ireland", 222333, datetime.date(606, 1, 1), 1845)
DELFT = _row("Delft", "Netherlands", 106086, datetime.date(1246, 2, 20), 1847)
HAARLEM = _row("Haarlem", "Netherlands", 162543, datetime.date(1246, 3, 1), 1839)
FARO = _row("Faro", "Portugal", 67650, datetime.date(1249, 3, 27), 1889)


def scene(*rows: Row, split: str = "test", most_rows: int = 5, schema: TableSchema = SCHEMA) -> Scene:
    """A scene on the first of some rows."""
    return Scene(schema, split, rows[0], schema.columns, lambda: rows[1:], most_rows)


def ask(
    kind: str, *rows: Row, count: int | None = None, seed: int = 0, split: str = "test", most_rows: int = 5
) -> list[Question]:
    """Questions of a kind, all of them checked."""
    made = scene(*rows, split=split, most_rows=most_rows)
    questions = KINDS[kind].generate(made, count, random.Random(seed))
    assert all(right(kind, question, rows) for question in questions)
    return questions


def right(kind: str, question: Question, rows: Sequence[Row], **changes: object) -> bool:
    """Whether a question, with some of it changed, passes its checker."""
    changed = replace(question, **changes)  # type: ignore[arg-type]
    return KINDS[kind].check(changed, SCHEMA, [rows[place] for place in question.rows])


def quickstart(**settings: object) -> StructuredDataLoader:
    """A loader on the quickstart's tables."""
    loader = StructuredDataLoader(**{"records_per_table": 300, "test_questions": 90, **settings})  # type: ignore[arg-type]
    columns = {"symbol": "symbol", "density": "density", "block": "block", "discovery_year": "year of discovery"}
    loader.load_from_parquet(TABLES / "elements.parquet", label="element", columns=columns)
    loader.load_from_json(TABLES / "countries.json", label="country")
    loader.load_from_csv(TABLES / "airports.csv", label="airport", entity=["name", "iata"])
    return loader
