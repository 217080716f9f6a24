"""The student's stage: what its key depends on, and cached signals that outlive a crash."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from attar.pipeline import RunConfig, load_config
from attar.pipeline.run import stages_of
from attar.pipeline.stages import Stages
from tests.conftest import CITIES, ROOT

MADE = ("data", "teacher", "student")
SCRIPT = f"""
import sys
from pathlib import Path
from attar.pipeline import load_config
from attar.pipeline.run import stages_of
stages = stages_of(load_config(Path(sys.argv[1])), Path(sys.argv[2]))
for name in {MADE}:
    stages.make(name)
"""


@pytest.fixture
def recipe(teacher_folder: Path, tmp_path: Path) -> Path:
    (tmp_path / "cities.csv").write_text(CITIES, encoding="utf-8")
    config = {
        "name": "tiny",
        "data": {
            "tables": [{"path": "cities.csv", "label": "city"}],
            "records_per_table": 12,
            "test_share": 0.5,
            "test_questions": 6,
        },
        "distillation": {
            "teacher_model_name": str(teacher_folder),
            "correction": {"steps": 0},
            "alignment_steps": 0,
            "alignment": 0.0,
            "steps": 30,
            "batch_tokens": 512,
            "checkpoint_seconds": 0,
        },
        "measurement": {"max_new_tokens": 4},
    }
    path = tmp_path / "tiny.json"
    path.write_text(json.dumps(config))
    return path


def made(config: RunConfig, runs: Path) -> Stages:
    stages = stages_of(config, runs)
    for name in MADE:
        stages.make(name)
    return stages


def test_where_signals_are_kept_changes_no_key_and_what_they_are_changes_the_students_alone(recipe: Path) -> None:
    def keys_with(*settings: str) -> dict[str, str]:
        every = ['loss="forward_kl"', *settings]  # the one that all kinds of signals go with
        return stages_of(load_config(recipe, [f"distillation.{setting}" for setting in every])).keys

    keys = keys_with()
    assert keys_with('signal_folder="kept"') == keys
    for setting in ('signals="online"', 'signal_kind="sampled"', "signal_tokens=4"):
        other = keys_with(setting)
        assert [name for name in MADE if other[name] != keys[name]] == ["student"]


def test_a_folder_of_signals_is_beside_the_config_and_stays(recipe: Path) -> None:
    config = load_config(recipe, ['distillation.signal_folder="kept"'])
    stages = made(config, recipe.parent / "runs")
    assert (recipe.parent / "kept" / "signals.json").is_file()
    settings = stages.products["student"].path / "model" / "distillation.json"
    assert "signal_folder" not in json.loads(settings.read_text())


def test_a_run_killed_while_it_trains_on_cached_signals_comes_to_the_same_student(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = made(load_config(recipe), tmp_path / "whole")
    assert "distill: signals cached" in capsys.readouterr().err
    runs = tmp_path / "killed"
    command = [sys.executable, "-c", SCRIPT, str(recipe), str(runs)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        while not list(runs.glob("tiny/stages/.unfinished/student-*/distill.safetensors")):
            assert process.poll() is None
            time.sleep(0.002)
        process.kill()
    again = made(load_config(recipe), runs)
    assert "capture signals" not in capsys.readouterr().err  # they were there
    assert again.products["student"].files == whole.products["student"].files
    assert not list(runs.glob("tiny/stages/.unfinished/*"))
