"""The ablation: an order that may stop anywhere, results that outlive a kill, and a whole run on a tiny teacher."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from attar.pipeline import DistillationConfig, ModelDistiller, StructuredDataLoader
from attar.pipeline.evaluation import score_tokens
from attar.pipeline.teacher import weights_sha256
from attar.runtime.errors import DataError, UsageError
from benchmarks.ablation.__main__ import main
from benchmarks.ablation.cells import CHOICES, FINE_TUNING, LOSSES, RIGHT_ANSWERS, SAMPLES, Cell, cells
from benchmarks.ablation.ledger import Ledger
from benchmarks.ablation.summary import write_summary
from benchmarks.ablation.training import Task, chosen_samples, start_row, train_cell
from benchmarks.ablation.work import cell_seconds, known_layers
from tests.conftest import CITIES, ROOT


def test_every_cell_of_every_seed_comes_once() -> None:
    found = list(cells(2))
    assert len(set(found)) == len(found) == 2 * len(CHOICES) * len(LOSSES) * len(SAMPLES)
    assert {cell.seed for cell in found[: len(found) // 2]} == {0}


def test_each_row_holds_every_loss_once() -> None:
    rows = [list(row) for _, row in groupby(cells(2), key=lambda cell: cell.row)]
    assert all(tuple(cell.loss for cell in row) == LOSSES for row in rows)


@pytest.mark.parametrize("rows", [3, 6, 9])
def test_every_three_rows_every_level_has_been_tried_as_often_as_the_others(rows: int) -> None:
    found = list(islice(cells(1), rows * len(LOSSES)))
    for factor, levels in (("choice", CHOICES), ("loss", LOSSES), ("samples", SAMPLES)):
        counts = Counter(getattr(cell, factor) for cell in found)
        assert set(counts) == set(levels) and len(set(counts.values())) == 1
    assert len({cell.row for cell in found}) == rows


def test_a_line_cut_short_by_a_crash_is_not_there_and_the_next_one_takes_its_place(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "results.jsonl"
    assert Ledger(file, "ours").lines == []
    Ledger(file, "ours").append({"cell": "é"})
    whole = file.read_bytes()
    file.write_bytes(whole + whole[:12])
    ledger = Ledger(file, "ours")
    assert [line["cell"] for line in ledger.lines] == ["é"]
    ledger.append({"cell": 2})
    assert [line["cell"] for line in Ledger(file, "ours").lines] == [line["cell"] for line in ledger.lines] == ["é", 2]


def test_lines_of_another_recipe_are_kept_and_counted_apart(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    Ledger(file, "theirs").append({"cell": 1})
    Ledger(file, "ours").append({"cell": 2})
    ours, theirs = Ledger(file, "ours"), Ledger(file, "theirs")
    assert [line["cell"] for line in ours.lines] == [2] and [line["cell"] for line in theirs.lines] == [1]
    assert ours.others == theirs.others == 1


def test_a_line_that_is_whole_and_wrong_is_named(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    file.write_text('{"cell": 1}\n[2]\n')
    with pytest.raises(DataError, match="can't be read") as caught:
        Ledger(file, "ours")
    assert "line 2" in str(caught.value)


@pytest.mark.parametrize("budget", ["", "60", "m", "-5m", "5 m"])
def test_a_budget_that_is_no_time_is_refused(budget: str) -> None:
    done = CliRunner().invoke(main, ["--budget", budget])
    assert done.exit_code == 2 and "is not a time" in done.output


def test_a_cell_is_expected_to_take_what_those_of_its_loss_took() -> None:
    lines = [line("even", loss, 0.5) for loss in ("forward_kl", "forward_kl", "reverse_kl")]
    for seconds, known in zip((10.0, 20.0, 90.0), lines, strict=True):
        known["seconds"] = {"training": seconds - 5, "scoring": 5.0}
    lines[0]["seconds"] |= {"cut": 2.0, "alignment": 30.0}

    def expected(loss: str, *, begins_row: bool = False) -> float:
        return cell_seconds(lines, Cell("even", loss, 250, 1), 7.0, begins_row=begins_row)

    of = {loss: expected(loss) for loss in LOSSES[:3]}
    assert of == {"forward_kl": 15.0, "reverse_kl": 90.0, "jensen_shannon": 20.0}
    assert expected("reverse_kl", begins_row=True) == 122.0
    assert cell_seconds([], Cell("even", "forward_kl", 250, 1), 7.0, begins_row=True) == 7.0


def test_layers_are_those_of_an_earlier_cell_only_where_it_chose_from_the_same_samples() -> None:
    lines = [line("importance", "forward_kl", 0.5)]
    assert known_layers(lines, Cell("importance", "reverse_kl", 250, 0)) == lines[0]["layers"]
    for choice, samples, seed in (("even", 250, 0), ("importance", 1_000, 0), ("importance", 250, 1)):
        assert known_layers(lines, Cell(choice, "reverse_kl", samples, seed)) is None


def test_fewer_samples_are_a_part_of_more_and_records_stay_together(cities: Path) -> None:
    loader = StructuredDataLoader(records_per_table=30)
    loader.load_from_csv(cities)
    train = [sample for sample in loader.prepare_distillation_dataset() if sample.split == "train"]
    few, more, other = (chosen_samples(train, *key) for key in ((10, 0), (30, 0), (10, 1)))
    assert [sample.id for sample in more[:10]] == [sample.id for sample in few] != [sample.id for sample in other]
    groups = [sample.group for sample in more]
    assert len(list(dict.fromkeys(groups))) == sum(one != two for one, two in zip(groups, ["", *groups], strict=False))


def line(choice: str, loss: str, exact: float, seed: int = 0) -> dict[str, Any]:
    return {
        "cell": {"choice": choice, "loss": loss, "samples": 250, "seed": seed},
        "scores": {"exact_match": exact, "n": 256},
        "tokens": {"loss": 0.5, "divergence": 0.25},
        "seconds": {"training": 60.0, "scoring": 1.0},
        "parameters": 81_400_000,
        "layers": list(range(15)),
        "settings": {"alignment_steps": 20, "steps": 60, "batch_tokens": 1024, "precision": "bfloat16"},
        "machine": {"processor": "a CPU", "threads": 2},
    }


def summarized(file: Path, lines: list[dict[str, Any]]) -> str:
    ledger = Ledger(file, "ours")
    for each in lines:
        ledger.append(each)
    write_summary(ledger)
    return file.with_suffix(".md").read_text()


def test_levels_are_compared_by_cells_that_differ_in_nothing_else(tmp_path: Path) -> None:
    lines = [line("even", "forward_kl", 0.4), line("even", "reverse_kl", 0.6), line("lowest", "reverse_kl", 0.1)]
    lines[1]["tokens"] = {"loss": 0.25, "divergence": 0.75}
    table = summarized(tmp_path / "found.jsonl", lines)
    assert "| reverse_kl | 2 | 60 | 35.0% | 0.375 | 0.500 | +20.0, 1 pair | -0.250, 1 pair |" in table
    assert "| lowest | 1 | 60 | 10.0% | 0.500 | 0.250 | -50.0, 1 pair | +0.250, 1 pair |" in table
    assert "| jensen_shannon | 0 |" in table
    assert (tmp_path / "found.svg").read_text().startswith("<svg")


def test_several_pairs_have_an_interval_and_several_seeds_a_deviation(tmp_path: Path) -> None:
    lines = [line("even", "forward_kl", 0.4 + seed / 10, seed) for seed in range(3)]
    lines += [line("even", "reverse_kl", 0.5 + seed / 10, seed) for seed in range(3)]
    table = summarized(tmp_path / "found.jsonl", lines)
    assert "+10.0 (+10.0 to +10.0), 3 pairs" in table
    assert "| reverse_kl | 60.0 ± 10.0 |" in table


def test_a_table_says_how_many_cells_have_no_figures(tmp_path: Path) -> None:
    failed = {"cell": Cell("lowest", "reverse_kl", 250, 0).to_dict(), "failed": "The loss became nan."}
    table = summarized(tmp_path / "found.jsonl", [line("even", "forward_kl", 0.4), failed])
    assert "1 students" in table and "the loss of 1 stopped being a number" in table


def test_a_table_says_how_many_cells_it_leaves_out(tmp_path: Path) -> None:
    file = tmp_path / "found.jsonl"
    Ledger(file, "theirs").append(line("even", "forward_kl", 0.9))
    table = summarized(file, [line("even", "forward_kl", 0.4)])
    assert "1 cells of other code" in table and "90.0" not in table


@pytest.fixture(scope="module")
def recipe(teacher_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ablation")
    rows = [f"Town {number},Land {number % 7},{1000 + 37 * number},{1100 + number}-01-01" for number in range(60)]
    (folder / "towns.csv").write_text(CITIES.splitlines()[0] + "\n" + "\n".join(rows) + "\n", encoding="utf-8")
    config = {
        "name": "tiny",
        "data": {"tables": [{"path": "towns.csv"}], "records_per_table": 1800, "test_share": 0.2, "test_questions": 6},
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


def arguments(recipe: Path, out: Path, *more: str) -> list[str]:
    return ["--recipe", str(recipe), "--out", str(out), "--runs", str(recipe.parent / "runs"), *more]


def ablate(recipe: Path, out: Path, *more: str) -> Result:
    done = CliRunner().invoke(main, arguments(recipe, out, *more))
    assert done.exit_code == 0, done.output
    return done


def started(recipe: Path, out: Path) -> subprocess.Popen[str]:
    environment = os.environ | {"HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-m", "benchmarks.ablation", *arguments(recipe, out)]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)


def until_a_cell_is_finished(out: Path, has_ended: Callable[[], bool]) -> None:
    while not has_ended() and not (out.is_file() and b"\n" in out.read_bytes()):
        time.sleep(0.02)


def read(out: Path) -> list[dict[str, Any]]:
    return [json.loads(text) for text in out.read_text().splitlines()]


def test_killed_and_called_again_it_goes_on_with_the_cells_that_are_missing(recipe: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.jsonl"
    with started(recipe, out) as process:
        until_a_cell_is_finished(out, lambda: process.poll() is not None)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    before, teacher = len(read(out)), recipe.parent / "runs/tiny/stages/teacher/stage.json"
    made = teacher.stat().st_mtime_ns
    said = ablate(recipe, out, "--cells", "2").output
    lines = read(out)
    assert [found["cell"] for found in lines] == [cell.to_dict() for cell in islice(cells(1), before + 2)]
    assert f"cell {before + 1}: " in said and " min left" in said
    assert teacher.stat().st_mtime_ns == made
    assert len({found["recipe"] for found in lines}) == 1
    assert all(found["scores"]["n"] == 6 and found["tokens"]["loss"] > 0 for found in lines)
    assert all(found["machine"]["processor"] and found["versions"]["torch"] for found in lines)
    assert f"{before + 2} students" in out.with_suffix(".md").read_text()


def test_interrupted_it_says_that_finished_cells_are_kept(recipe: Path, tmp_path: Path) -> None:
    out, ended = tmp_path / "a.jsonl", threading.Event()

    def interrupt() -> None:
        until_a_cell_is_finished(out, ended.is_set)
        while not ended.is_set():  # Python loses one that falls into a finalizer: whoever is not heard presses again
            signal.raise_signal(signal.SIGINT)
            ended.wait(5)

    thread = threading.Thread(target=interrupt)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job has it ignored
    thread.start()
    done = CliRunner().invoke(main, arguments(recipe, out))
    ended.set()
    thread.join()
    signal.signal(signal.SIGINT, before)
    assert done.exit_code == 130 and "finished cells are kept" in done.output
    assert read(out)


def test_cells_of_other_settings_do_not_count(recipe: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.jsonl"
    ablate(recipe, out, "--cells", "1")
    said = ablate(recipe, out, "--cells", "1", "--set", "distillation.steps=3").output
    assert "1 cells of other code, settings or machines stay" in said
    first, second = read(out)
    assert first["cell"] == second["cell"] and first["recipe"] != second["recipe"]


def test_a_cell_whose_loss_is_no_number_is_kept_as_that_and_the_next_one_begins(recipe: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.jsonl"
    said = ablate(recipe, out, "--cells", "2", "--set", "distillation.learning_rate=1e35").output
    assert "The loss became" in said
    assert ["failed" in found for found in read(out)] == [True, True]
    assert not out.with_suffix(".md").exists()


def test_no_cell_begins_that_would_end_after_the_budget(recipe: Path, tmp_path: Path) -> None:
    said = ablate(recipe, tmp_path / "a.jsonl", "--budget", "0s").output
    assert "time is up, 270 cells are missing" in said and not (tmp_path / "a.jsonl").exists()


def test_too_few_samples_are_refused_before_anything_is_trained(recipe: Path, tmp_path: Path) -> None:
    found = CliRunner().invoke(
        main, arguments(recipe, tmp_path / "a.jsonl", "--set", "data.records_per_table=20", "--set", "name=small")
    )
    assert found.exit_code == 2 and "cells want up to 5,000" in found.output


@pytest.fixture(scope="module")
def task(teacher_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Task:
    table = tmp_path_factory.mktemp("task") / "cities.csv"
    table.write_text(CITIES, encoding="utf-8")
    loader = StructuredDataLoader(records_per_table=10)
    loader.load_from_csv(table)
    train = [sample for sample in loader.prepare_distillation_dataset() if sample.split == "train"]
    settings = {"correction": {"steps": 0}, "student_layers": 2, "alignment_steps": 2, "steps": 2, "batch_tokens": 256}
    config = DistillationConfig.model_validate({"teacher_model_name": str(teacher_folder), "held_out": 0.0, **settings})
    return Task(config, train, train[:4], 4)


def test_a_fine_tuned_student_has_the_layers_that_its_cell_names(task: Task) -> None:
    cell = Cell("lowest", FINE_TUNING, 10, 0)
    found = train_cell(task, cell, start_row(task, cell, None))
    assert found["layers"] == [0, 3]
    assert found["scores"]["n"] == 4 and found["tokens"]["loss"] > 0


def test_what_a_row_begins_with_serves_each_of_its_cells_and_no_cell_changes_it(task: Task) -> None:
    first, second = (Cell("even", loss, 10, 0) for loss in ("reverse_kl", RIGHT_ANSWERS))
    start = start_row(task, first, None)
    before = weights_sha256(start.student.model)
    shared = [train_cell(task, cell, start) for cell in (first, second)]
    assert weights_sha256(start.student.model) == before
    alone = [train_cell(task, cell, start_row(task, cell, None)) for cell in (first, second)]
    assert [found["tokens"] for found in shared] == [found["tokens"] for found in alone]
    assert shared[0]["tokens"] != shared[1]["tokens"]


def test_a_cell_is_the_student_that_its_settings_make_at_once(task: Task) -> None:
    cell = Cell("even", "jensen_shannon", 10, 0)
    start = start_row(task, cell, None)
    settings = {"loss": "jensen_shannon", "student_layers": start.body.layers}
    distiller = ModelDistiller(task.settings.model_copy(update=settings))
    whole = distiller.distill(chosen_samples(task.train, 10, 0))
    _, tokens = score_tokens(start.teacher, {"whole": whole}, task.test, precision=distiller.precision)
    assert train_cell(task, cell, start)["tokens"] == tokens["whole"].to_dict()


def test_settings_of_the_divergences_do_not_stop_right_answers(task: Task) -> None:
    warm = replace(task, settings=task.settings.model_copy(update={"temperature": 4.0}))
    cell = Cell("even", RIGHT_ANSWERS, 10, 0)
    assert train_cell(warm, cell, start_row(warm, cell, None))["scores"]["n"] == 4


def test_divergences_that_do_nothing_are_refused(recipe: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(main, arguments(recipe, tmp_path / "a.jsonl", "--set", "distillation.alpha=0"))
    assert done.exit_code == 2 and "do nothing with distillation.alpha 0" in done.output


def test_a_student_that_is_cut_in_steps_can_not_be_shared(task: Task) -> None:
    deep = replace(task, settings=task.settings.model_copy(update={"student_layers": 1, "cuts": [2]}))
    with pytest.raises(UsageError, match="cut from its teacher at once"):
        start_row(deep, Cell("even", "forward_kl", 10, 0), [0])
