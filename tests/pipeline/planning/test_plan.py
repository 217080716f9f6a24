"""A plan says what is there, what is not and why, and what it rests on; it makes nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from attar.pipeline import load_config
from attar.pipeline.planning import Plan, plan_run
from attar.pipeline.planning import plan as planning
from attar.pipeline.run import stages_of
from attar.pipeline.versions import this_machine
from attar.runtime.cli import main
from attar.runtime.limits import Memory
from tests.conftest import CITIES
from tests.runtime.test_cli import fastest

STAGES = ["data", "teacher", "student", "finish", "export", "baseline", "measurement", "card"]


@pytest.fixture(scope="module")
def recipe(teacher_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plan")
    (folder / "cities.csv").write_text(CITIES, encoding="utf-8")
    config = {
        "name": "tiny",
        "data": {"tables": [{"path": "cities.csv", "label": "city"}], "test_share": 0.5, "test_questions": 6},
        "distillation": {"teacher_model_name": str(teacher_folder), "batch_tokens": 512, "steps": 200},
        "finish": {"steps": 20},
    }
    path = folder / "tiny.json"
    path.write_text(json.dumps(config))
    return path


def planned(recipe: Path, runs: Path, *overrides: str) -> Plan:
    return plan_run(load_config(recipe, overrides), runs)


def missing(plan: Plan) -> dict[str, str | None]:
    return {stage.name: stage.missing for stage in plan.stages}


def test_a_new_run_has_every_stage_before_it_and_nothing_is_made(recipe: Path, tmp_path: Path) -> None:
    plan = planned(recipe, tmp_path / "runs")
    assert missing(plan) == dict.fromkeys(STAGES, "not made yet")
    assert all(stage.seconds > 0 and stage.memory > 0 and stage.disk > 0 for stage in plan.stages)
    assert plan.seconds == sum(stage.seconds for stage in plan.stages)
    assert any("one layer of the teacher, timed just now" in line for line in plan.basis)
    assert list(tmp_path.iterdir()) == []


def test_what_is_made_is_there_until_its_settings_change(recipe: Path, tmp_path: Path) -> None:
    stages_of(load_config(recipe), tmp_path).make("data")
    plan = planned(recipe, tmp_path)
    assert missing(plan)["data"] is None
    assert plan.stages[0].seconds == 0
    changed = missing(planned(recipe, tmp_path, "data.salt=other"))
    assert changed["data"] == "its settings, data or code changed"
    (tmp_path / "tiny" / "stages" / "data" / "train.parquet").unlink()
    assert missing(planned(recipe, tmp_path))["data"] == "a file of it is missing or cut short"


def test_times_of_an_earlier_run_go_before_the_probes(recipe: Path, tmp_path: Path) -> None:
    config = load_config(recipe)
    folder = tmp_path / "earlier"
    folder.mkdir()
    run: dict[str, Any] = {
        "config": config.model_dump(mode="json"),
        "machine": this_machine(),
        "stages": {name: {"seconds": 100.0} for name in STAGES},
    }
    (folder / "run.json").write_text(json.dumps(run))
    plan = planned(recipe, tmp_path)
    assert any(f"what {folder} took" in line for line in plan.basis)
    assert all(stage.seconds == pytest.approx(100) for stage in plan.stages)
    longer = planned(recipe, tmp_path, "distillation.steps=2000")
    assert 500 < longer.stages[2].seconds <= 1001
    (folder / "run.json").write_text(json.dumps(run | {"machine": {"processor": "another", "threads": 1}}))
    assert any("timed just now" in line for line in planned(recipe, tmp_path).basis)
    (folder / "run.json").write_text("{")
    assert planned(recipe, tmp_path).stages


def test_too_little_memory_or_disk_fails_before_anything_runs(
    recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A full disk and a small container can't be made here; only what the kernel reports is replaced.
    monkeypatch.setattr(planning, "memory", lambda: Memory(total=1 << 30, limit=None, free=1 << 20))
    monkeypatch.setattr(planning, "free_disk", lambda path: 1000)
    done = CliRunner().invoke(main, ["plan", str(recipe), "--runs", str(tmp_path)])
    assert done.exit_code == 1
    assert "GB of memory" in done.stdout
    assert "GB of disk" in done.stdout
    assert "choose another disk with --runs" in done.stdout
    value = json.loads(CliRunner().invoke(main, ["plan", str(recipe), "--runs", str(tmp_path), "--json"]).stdout)
    assert (value["ok"], len(value["problems"])) == (False, 2)


def test_a_plan_is_one_object_for_programs_and_a_table_for_people(recipe: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["plan", str(recipe), "--runs", str(tmp_path), "--json"])
    assert done.exit_code == 0, done.output
    value = json.loads(done.stdout)
    assert [stage["name"] for stage in value["stages"]] == STAGES
    shown = CliRunner().invoke(main, ["plan", str(recipe), "--runs", str(tmp_path)]).stdout
    assert all(name in shown for name in (*STAGES, "free", "not made yet"))


def test_a_config_whose_teacher_or_table_is_missing_is_refused(recipe: Path, tmp_path: Path) -> None:
    for setting, code in (("distillation.teacher_model_name=./gone", 5), ("data.tables.0.path=gone.csv", 4)):
        done = CliRunner().invoke(main, ["plan", str(recipe), "--runs", str(tmp_path), "--set", setting])
        assert done.exit_code == code, done.output


def test_help_is_fast_and_has_an_example() -> None:
    done, seconds = fastest("plan", "--help")
    assert seconds < 0.3
    assert "attar plan " in done.stdout.split("Example", 1)[1]
