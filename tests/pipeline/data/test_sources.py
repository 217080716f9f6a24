"""Tables from files, and what bad files get."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from attar.pipeline.data.sources import read_table
from attar.runtime.errors import DataError

ROWS = [{"name": "Windhoek", "code": "NA", "people": 431000}, {"name": "Évora", "code": None, "people": 53591}]


def as_csv(path: Path) -> None:
    path.write_text("name,code,people\nWindhoek,NA,431000\nÉvora,,53591\n", encoding="utf-8")


WRITERS: dict[str, Callable[[Path], object]] = {
    "t.csv": as_csv,
    "t.json": lambda path: path.write_text(json.dumps(ROWS)),
    "t.jsonl": lambda path: path.write_text("\n".join(map(json.dumps, ROWS)) + "\n\n"),
    "t.parquet": lambda path: pq.write_table(pa.Table.from_pylist(ROWS), path),
}


@pytest.mark.parametrize("name", WRITERS)
def test_the_same_rows_come_from_every_kind_of_file(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / name)
    assert read_table(tmp_path / name).to_pylist() == ROWS


def test_a_json_column_of_several_types_becomes_text(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text('[{"a": 1, "b": ["x", "y"]}, {"a": "one", "b": "z"}, {"c": true}]')
    assert read_table(tmp_path / "t.json").to_pylist() == [
        {"a": "1", "b": "x, y", "c": None},
        {"a": "one", "b": "z", "c": None},
        {"a": None, "b": None, "c": True},
    ]


BAD = {
    "missing.csv": (None, "no such table"),
    "empty.csv": ("", "can't be read"),
    "header.csv": ("name,code\n", "no rows"),
    "twice.csv": ("name,name\na,b\n", "same name: name"),
    "ragged.csv": ("a,b\n1,2\n1,2,3\n", "can't be read"),
    "empty.json": ("[]", "no rows"),
    "broken.json": ("[{", "can't be read"),
    "numbers.json": ("[1, 2]", "can't be read"),
    "broken.jsonl": ('{"a": 1}\n{"a": \n', "can't be read"),
    "broken.parquet": ("PAR1 not really", "can't be read"),
    "table.xlsx": ("x", "No reader"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_an_error_that_says_where_and_what_next(tmp_path: Path, name: str) -> None:
    text, message = BAD[name]
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        read_table(tmp_path / name)
    assert caught.value.where == str(tmp_path / name)
    assert caught.value.next_step
    assert caught.value.exit_code == 4


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"a": 1}\n{"a": \n')
    with pytest.raises(DataError) as caught:
        read_table(tmp_path / "t.jsonl")
    assert caught.value.why is not None
    assert "line 2" in caught.value.why
