"""A password in a config is nowhere but in the config: not in what is printed, logged, raised or written."""

from __future__ import annotations

import json
import logging
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from attar.pipeline import load_config
from attar.pipeline.data import read_samples
from attar.runtime.bundle import Bundle
from attar.runtime.cli import main
from tests.pipeline.data.conftest import PASSWORD, Postgres

QUERY = "SELECT name || n AS name, coastal, population + n AS people FROM city, generate_series(1, 8) AS n ORDER BY 1"
SPELLINGS = (PASSWORD, "Sesam", "ffne", "dich")


def assert_without_password(text: str) -> None:
    assert [spelling for spelling in SPELLINGS if spelling in text] == []


@pytest.fixture
def config(postgres: Postgres, teacher_folder: Path, tmp_path: Path) -> Path:
    path = tmp_path / "config.json"
    table = {"database": postgres.reader, "query": QUERY, "label": "city"}
    few: dict[str, Any] = {"correction": {"steps": 1}, "alignment_steps": 1, "steps": 1}
    value = {
        "name": "secret",
        "data": {"tables": [table], "test_share": 0.5, "test_questions": 2},
        "distillation": {"teacher_model_name": str(teacher_folder), **few},
        "export": {"quantize": "none"},
        "measurement": {"max_new_tokens": 1, "decode_tokens": 8, "repetitions": 1, "threads": 1},
    }
    path.write_text(json.dumps(value))
    return path


def test_a_run_leaves_it_nowhere_and_sees_when_the_rows_change(
    config: Path, postgres: Postgres, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    runs = tmp_path / "runs"
    first = CliRunner().invoke(main, ["run", str(config), "--runs", str(runs), "--json"])
    assert first.exit_code == 0, first.output
    files = [path for path in runs.rglob("*") if path.is_file()]
    assert {"train.parquet", "dataset.json", "stage.json", "attar.json"} <= {path.name for path in files}
    for path in files:
        assert_without_password(path.read_bytes().decode("utf-8", errors="replace"))
    assert_without_password(first.output + caplog.text)
    data = runs / "secret" / "stages" / "data"
    sample = asdict(read_samples(data / "train.parquet")[0])
    assert "//reader:***@" in sample["source"]
    assert sample["source"].endswith(f": {QUERY}")
    lineage = Bundle.open(runs / "secret" / "bundle").manifest.lineage
    assert lineage["sources"] == {"city": sample["source_sha256"]}

    key = json.loads((data / "stage.json").read_text())["key"]
    again = CliRunner().invoke(main, ["run", str(config), "--runs", str(runs), "--json"])
    assert "data" in json.loads(again.stdout)["cached"]
    with psycopg.connect(postgres.url) as owner:
        owner.execute("UPDATE city SET population = population + 1")
        owner.commit()
        try:
            failing = ["--set", "distillation.teacher_model_name=./nowhere"]
            CliRunner().invoke(main, ["run", str(config), "--runs", str(runs), *failing])
        finally:
            owner.execute("UPDATE city SET population = population - 1")
    assert json.loads((data / "stage.json").read_text())["key"] != key


def test_a_config_shows_and_writes_it_redacted(config: Path) -> None:
    loaded = load_config(config)
    assert_without_password(repr(loaded) + str(loaded) + loaded.model_dump_json() + str(loaded.model_dump()))
    assert "reader:***@" in loaded.model_dump_json()
    assert loaded.data.tables[0].database is not None
    assert "Sesam" in loaded.data.tables[0].database.get_secret_value()


@pytest.mark.parametrize(
    "change",
    [
        {"query": "SELECT nothing FROM nowhere"},
        {"query": "INSERT INTO city (name) VALUES ('x')"},
        {"databse": None},
        {"path": "t.csv"},
        {"label": None},
        {"database": 5},
    ],
)
def test_an_errors_traceback_does_not_hold_it(config: Path, change: dict[str, Any]) -> None:
    value = json.loads(config.read_text())
    table = value["data"]["tables"][0]
    if "databse" in change:
        change = {"databse": table.pop("database")}
    table.update(change)
    config.write_text(json.dumps(value))
    done = CliRunner().invoke(main, ["--debug", "run", str(config), "--runs", str(config.parent / "runs")])
    assert done.exception is not None
    assert not isinstance(done.exception, SystemExit)
    assert_without_password(done.output + "".join(traceback.format_exception(done.exception)))
    assert_without_password(repr(done.exception) + repr(done.exception.__cause__) + repr(done.exception.__context__))


def test_a_wrong_password_is_not_repeated(config: Path, postgres: Postgres) -> None:
    text = config.read_text()
    quoted = postgres.reader.partition("reader:")[2].partition("@")[0]
    config.write_text(text.replace(quoted, "Sesamffne"))
    done = CliRunner().invoke(main, ["--debug", "run", str(config), "--runs", str(config.parent / "runs")])
    assert done.exception is not None
    assert_without_password(done.output + "".join(traceback.format_exception(done.exception)))
    plain = CliRunner().invoke(main, ["run", str(config), "--runs", str(config.parent / "runs"), "--json"])
    assert plain.exit_code == 4
    assert_without_password(plain.output)
