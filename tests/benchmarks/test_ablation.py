"""The ablation: an order that may stop anywhere, results that outlive a kill, and a whole run on a tiny teacher."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import click
import pytest

from attar.pipeline import StructuredDataLoader
from attar.runtime.errors import DataError
from benchmarks.ablation.__main__ import Progress, outlook, room, seconds_of
from benchmarks.ablation.cells import CHOICES, LOSSES, SAMPLES, cells
from benchmarks.ablation.ledger import append_line, read_lines
from benchmarks.ablation.summary import write_summary
from benchmarks.ablation.training import chosen_samples
from tests.conftest import CITIES, ROOT


def test_every_cell_of_every_seed_comes_once() -> None:
    found = list(cells(2))
    assert len(set(found)) == len(found) == 2 * len(CHOICES) * len(LOSSES) * len(SAMPLES)
    assert {cell.seed for cell in found[:45]} == {0}


@pytest.mark.parametrize("count", [6, 9, 15, 20, 30, 40, 45])
def test_wherever_it_stops_every_level_has_been_tried_about_as_often(count: int) -> None:
    found = list(islice(cells(1), count))
    for factor, levels in (("choice", CHOICES), ("loss", LOSSES), ("samples", SAMPLES)):
        counts = Counter(getattr(cell, factor) for cell in found)
        assert len(counts) == len(levels)
        assert max(counts.values()) - min(counts.values()) <= 3
    if count >= 15:
        assert len({(cell.choice, cell.loss) for cell in found}) == len(CHOICES) * len(LOSSES)


def test_a_line_cut_short_by_a_crash_is_not_there_and_the_next_one_takes_its_place(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "results.jsonl"
    assert read_lines(file) == []
    append_line(file, {"cell": "é"})
    whole = file.read_bytes()
    file.write_bytes(whole + whole[:12])
    assert read_lines(file) == [{"cell": "é"}]
    append_line(file, {"cell": 2})
    assert read_lines(file) == [{"cell": "é"}, {"cell": 2}]


def test_a_line_that_is_whole_and_wrong_is_named(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    file.write_text('{"cell": 1}\n[2]\n')
    with pytest.raises(DataError, match="can't be read") as caught:
        read_lines(file)
    assert "line 2" in str(caught.value)


def test_budgets_are_read_and_nonsense_is_refused() -> None:
    assert [seconds_of(text) for text in ("90s", "60m", "1h30m")] == [90, 3600, 5400]
    for text in ("", "60", "m", "-5m", "5 m"):
        with pytest.raises(click.BadParameter):
            seconds_of(text)


def test_no_cell_begins_that_would_end_after_the_budget() -> None:
    lines = [{"seconds": {"training": 70.0, "scoring": 20.0}}] * 3
    now = __import__("time").monotonic()
    assert room(lines, Progress(now, 100)) and not room(lines, Progress(now, 80))
    assert room([], Progress(now, 1)) and not room([], Progress(now - 2, 1))
    assert outlook(lines, Progress(now, 901)) == "3 done, 15 min left, about 10 more"


def test_fewer_samples_are_a_part_of_more_and_records_stay_together(cities: Path) -> None:
    loader = StructuredDataLoader(records_per_table=30)
    loader.load_from_csv(cities)
    train = [sample for sample in loader.prepare_distillation_dataset() if sample.split == "train"]
    few, more, other = (chosen_samples(train, *key) for key in ((10, 0), (30, 0), (10, 1)))
    assert [sample.id for sample in more[:10]] == [sample.id for sample in few] != [sample.id for sample in other]
    groups = [sample.group for sample in more]
    assert len(list(dict.fromkeys(groups))) == sum(one != two for one, two in zip(groups, ["", *groups], strict=False))
    with pytest.raises(ValueError, match="are wanted"):
        chosen_samples(train, len(train) + 1, 0)


def line(choice: str, loss: str, exact: float, seed: int = 0) -> dict[str, Any]:
    return {
        "cell": {"choice": choice, "loss": loss, "samples": 250, "seed": seed},
        "scores": {"exact_match": exact, "n": 256},
        "tokens": {"loss": 0.5, "divergence": 0.25},
        "seconds": {"training": 60.0},
        "parameters": 81_400_000,
        "layers": list(range(15)),
        "steps": {"alignment": 20, "distillation": 60},
        "batch_tokens": 1024,
        "precision": "bfloat16",
        "machine": {"processor": "a CPU"},
    }


def test_levels_are_compared_by_cells_that_differ_in_nothing_else(tmp_path: Path) -> None:
    lines = [line("even", "forward_kl", 0.4), line("even", "reverse_kl", 0.6), line("lowest", "reverse_kl", 0.1)]
    write_summary(tmp_path / "found.jsonl", lines)
    table = (tmp_path / "found.md").read_text()
    assert "| reverse_kl | 2 | 35.0% | 0.500 | 0.250 | +20.0 against forward_kl, 1 pair |" in table
    assert "| lowest | 1 | 10.0% | 0.500 | 0.250 | -50.0 against even, 1 pair |" in table
    assert "| jensen_shannon | 0 |" in table
    assert (tmp_path / "found.svg").read_text().startswith("<svg")
    three = [
        line("even", loss, value, seed)
        for seed in range(3)
        for loss, value in (("forward_kl", 0.4), ("reverse_kl", 0.5))
    ]
    write_summary(tmp_path / "found.jsonl", three)
    assert "+10.0 (+10.0 to +10.0) against forward_kl, 3 pairs" in (tmp_path / "found.md").read_text()


@pytest.fixture(scope="module")
def recipe(teacher_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ablation")
    rows = [f"Town {number},Land {number % 7},{1000 + 37 * number},{1100 + number}-01-01" for number in range(60)]
    (folder / "towns.csv").write_text(CITIES.splitlines()[0] + "\n" + "\n".join(rows) + "\n", encoding="utf-8")
    config = {
        "name": "tiny",
        "data": {"tables": [{"path": "towns.csv"}], "records_per_table": 1300, "test_share": 0.2, "test_questions": 6},
        "distillation": {
            "teacher_model_name": str(teacher_folder),
            "correction": {"steps": 1},
            "student_layers": 2,
            "alignment_steps": 1,
            "steps": 2,
            "batch_tokens": 256,
            "compiled": False,
        },
        "measurement": {"max_new_tokens": 4, "uncorrected_questions": 2},
    }
    (folder / "tiny.json").write_text(json.dumps(config))
    return folder / "tiny.json"


def ablate(recipe: Path, *arguments: str) -> None:
    command = [
        sys.executable,
        "-m",
        "benchmarks.ablation",
        "--recipe",
        str(recipe),
        "--out",
        str(recipe.parent / "a.jsonl"),
    ]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, "--runs", str(recipe.parent / "runs"), *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_a_second_call_goes_on_with_the_next_cell_of_the_same_teacher(recipe: Path) -> None:
    ablate(recipe, "--budget", "5m", "--cells", "2")
    teacher = recipe.parent / "runs/tiny/stages/teacher/stage.json"
    made = teacher.stat().st_mtime_ns
    ablate(recipe, "--budget", "5m", "--cells", "3")
    lines = read_lines(recipe.parent / "a.jsonl")
    assert [found["cell"] for found in lines] == [
        cell.to_dict() for cell in islice(cells(1), 5)
    ]  # the fifth has no teacher
    assert teacher.stat().st_mtime_ns == made
    assert len({found["recipe"] for found in lines}) == 1
    assert all(found["scores"]["n"] == 6 and found["tokens"]["loss"] > 0 for found in lines)
    assert all(found["machine"]["processor"] and found["versions"]["torch"] for found in lines)
    assert "5 students" in (recipe.parent / "a.md").read_text()
