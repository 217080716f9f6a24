"""Rows that were read are found in their files again, those that were left out not counted."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from attar.pipeline import StructuredDataLoader
from attar.pipeline.data import LoadedTable
from attar.pipeline.data.sources import Source, file_source
from attar.pipeline.inspection.places import places_of
from attar.pipeline.inspection.problems import problems_of
from attar.pipeline.inspection.view import view_of


def loaded(path: Path, rejects: float = 0.5) -> tuple[Source, LoadedTable]:
    source = file_source(path)
    return source, StructuredDataLoader().load_source(source, max_rejects=rejects)


def test_a_row_is_found_by_its_line_behind_cells_of_several_lines_and_rows_left_out(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    lines = [f'Town {number},"two\nlines",{number}' for number in range(40)]
    lines[3] = "Broken,in,too,many"
    path.write_text("name,note,size\n" + "\n".join(lines) + "\n", encoding="utf-8")
    source, table = loaded(path)
    assert len(table.rejects) == 1
    places = places_of(source, table, [0, 3, 38])
    assert [places[number].removeprefix(f"{path}:") for number in (0, 3, 38)] == ["2", "9", "79"]
    assert table.rows[3]["name"] == "Town 4"


def test_rows_left_out_are_a_problem_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("name,size\nA,1\nB,2,3\nC,3\n", encoding="utf-8")
    _, table = loaded(path)
    (problem,) = [one for one in problems_of(view_of(table)) if one.name == "left out"]
    assert (problem.count, problem.examples[0].where) == (1, f"{path}:3")
    assert problem.examples[0].why


def test_a_row_of_jsonl_has_a_line_and_one_of_parquet_a_number(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text("\n".join(json.dumps({"name": f"Town {n}", "size": n}) for n in range(5)), encoding="utf-8")
    source, table = loaded(path)
    assert places_of(source, table, [2]) == {2: f"{path}:3"}
    pa.parquet.write_table(pa.table({"name": ["A", "B"], "size": [1, 2]}), tmp_path / "t.parquet")
    source, table = loaded(tmp_path / "t.parquet")
    assert places_of(source, table, [1]) == {1: f"{tmp_path / 't.parquet'}, row 1"}
    assert places_of(source, table, []) == {}
