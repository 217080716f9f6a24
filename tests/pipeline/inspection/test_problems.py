"""What a look at a table finds: each problem where it is, and none where it is not."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from attar.pipeline import StructuredDataLoader
from attar.pipeline.config import RunConfig
from attar.pipeline.config.reading import parse_config
from attar.pipeline.inspection import Inspection, Problem, inspect_tables, page, view
from attar.pipeline.inspection.trial import leaked
from tests.conftest import CITIES
from tests.pipeline.config.test_reading import SMALL

LINES = [f"Town {number},Utopia,{number * 37 % 101},a" for number in range(30)]


def config(folder: Path, text: str, **data: object) -> RunConfig:
    (folder / "t.csv").write_text(text, encoding="utf-8")
    tables = [{"path": "t.csv", "label": "town"}]
    return parse_config(SMALL | {"data": {"tables": tables, "test_share": 0.5, **data}}, folder / "config.json")


def look(folder: Path, text: str, **data: object) -> Inspection:
    return inspect_tables(config(folder, text, **data), with_tokens=False)


def problems(found: Inspection) -> dict[str, list[Problem]]:
    named: dict[str, list[Problem]] = {}
    for _, problem in found.problems:
        named.setdefault(problem.name, []).append(problem)
    return named


def test_a_sound_table_has_no_problem(tmp_path: Path) -> None:
    found = look(tmp_path, CITIES)
    assert found.problems == []
    assert found.usable
    (table,) = found.tables
    assert (table.rows, table.entity, sum(table.splits.values())) == (8, ["name"], 8)
    gaps = {column.name: (column.gaps, column.distinct) for column in table.columns}
    assert gaps == {"name": (0, 8), "country": (0, 6), "population": (0, 8), "founded": (1, 7)}
    assert "Nothing." in page(found)


def test_each_problem_is_named_with_its_places(tmp_path: Path) -> None:
    lines = [*LINES, "Town 3,utopia,1,a", ",Utopia,2,a", f"Long,Utopia,3,{'x' * 600}"]
    found = problems(look(tmp_path, "name,country,size,note\n" + "\n".join(lines)))
    (repeated,) = found["repeated names"]
    assert (repeated.count, repeated.examples[0].value) == (1, "Town 3")
    assert found["rows without a name"][0].count == 1
    assert found["spellings"][0].examples[0].value == "utopia"
    assert found["very long values"][0].examples[0].why == "600 characters"
    assert {problem.what.split()[0] for problem in found["one value nearly everywhere"]} == {"'country'", "'note'"}
    places = [found[name][0].examples[0].where.rpartition("/")[2] for name in ("repeated names", "very long values")]
    assert places == ["t.csv:32", "t.csv:34"]


STORY = "a long story that stands in two rows of this table told in nearly the same words by both"


@pytest.mark.parametrize("handling", ["group", "keep"])
def test_rows_that_nearly_repeat_others_are_shown_with_both_lines(tmp_path: Path, handling: str) -> None:
    lines = [*LINES, f"Bergen,Norway,7,{STORY}", "Cork,Ireland,1,b", f"Bergen,Norway,7,{STORY}s"]
    found = look(tmp_path, "name,country,size,note\n" + "\n".join(lines), near_duplicates=handling)
    (problem,) = problems(found)["near-duplicates"]
    assert (problem.count, problem.sampled) == (1, False)
    (example,) = problem.examples
    assert (example.where, example.value) == (f"{tmp_path / 't.csv'}:34", "Bergen")
    assert example.why == f"nearly repeats 'Bergen', {tmp_path / 't.csv'}:32"
    drawn = page(found)
    assert "near-duplicates" in drawn
    assert "t.csv:32" in drawn and "t.csv:34" in drawn


def test_of_a_large_table_the_rows_that_were_looked_at_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view, "SAMPLE", 20)
    lines = [f"Bergen {STORY},{STORY}{'s' * (number % 2)}" for number in range(60)]
    found = look(tmp_path, "name,note\n" + "\n".join(lines), near_duplicates="keep")
    (problem,) = problems(found)["near-duplicates"]
    assert problem.sampled
    assert problem.what.startswith("Rows of the 20 that were looked at that nearly repeat")
    assert len(problem.examples) == 10
    assert "(in the sampled rows)" in page(found)


def test_a_row_between_the_splits_is_shown_with_its_line(tmp_path: Path) -> None:
    names = [f"Town {letter}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
    streets = [f"street {one[5:]}{other[5:]},{one},{other},{n}" for n, (one, other) in enumerate(pairwise(names))]
    (tmp_path / "street.csv").write_text("street,from,to,length\n" + "\n".join(streets) + "\n")
    linked = {"path": "street.csv", "entity": ["street"], "links": {"from": "town", "to": "town"}}
    towns = "name,size\n" + "\n".join(f"{name},{n}" for n, name in enumerate(names))
    tables = [{"path": "t.csv", "label": "town"}, linked]
    (problem,) = problems(look(tmp_path, towns, tables=tables))["between the splits"]
    assert problem.count > 0
    assert problem.examples[0].where.startswith(f"{tmp_path / 'street.csv'}:")


def test_columns_that_say_nothing_are_named(tmp_path: Path) -> None:
    lines = [f"Town {number},Utopia,{number},,{'word ' * 40}{number},{1 if number < 4 else ''}" for number in range(30)]
    found = problems(look(tmp_path, "name,country,row,empty,story,rare\n" + "\n".join(lines)))
    assert "'country'" in found["constant columns"][0].what
    assert "'row'" in found["row numbers"][0].what
    assert "'empty'" in found["empty columns"][0].what
    assert "'story'" in found["free text"][0].what
    assert "'rare'" in found["mostly not recorded"][0].what


def test_what_stops_a_build_is_found_and_said(tmp_path: Path) -> None:
    found = look(tmp_path, CITIES, test_share=1e-9)
    assert not found.usable
    (stops,) = [problem for _, problem in found.problems if problem.stops]
    assert "no sample to test with" in stops.what
    assert "stops" in page(found)


def test_one_record_in_both_splits_is_leakage(cities: Path) -> None:
    loader = StructuredDataLoader(test_share=0.5)
    loader.load_from_csv(cities)
    samples = loader.prepare_distillation_dataset()
    assert leaked(samples) == []
    test = next(sample for sample in samples if sample.split == "test")
    (problem,) = leaked([*samples, replace(test, split="train")])
    same = [sample.id for sample in samples if sample.split == "test" and sample.record == test.record]
    assert (problem.count, [example.why for example in problem.examples]) == (len(same), same[:10])


def test_cells_cannot_write_into_the_page(tmp_path: Path) -> None:
    wild = '"<script>alert(1)</script><img src=x onerror=y>"'
    found = look(tmp_path, "name,country\n" + "\n".join(f"Town {number},{wild}" for number in range(20)))
    drawn = page(found)
    assert "<script" not in drawn and "<img" not in drawn
    assert "&lt;script&gt;" in drawn


def test_a_large_build_is_tried_on_a_part(tmp_path: Path) -> None:
    settings = config(tmp_path, CITIES, records_per_table=100_000)
    trial = inspect_tables(settings, with_tokens=False).trial
    assert not trial.whole
    assert trial.records == 2_500
    assert trial.kinds["lookup"]["train"] > 0
