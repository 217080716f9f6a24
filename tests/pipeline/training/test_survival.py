"""A training that is killed with SIGKILL, once in every phase, goes on with the very losses of one that was not."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from attar.pipeline.checkpoints import Checkpoints
from tests.tiny import tiny_llama

PHASES = ["correct teacher", "align layers to 4 layers", "distill to 4 layers", "align layers", "distill"]
CHILD = """
import json, sys
from pathlib import Path
from attar.pipeline import DistillationConfig, ModelDistiller, StructuredDataLoader
from attar.pipeline.checkpoints import Checkpoints

settings, table, kept = json.loads(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
loader = StructuredDataLoader(records_per_table=40)
loader.load_from_csv(table)
config = DistillationConfig.model_validate(settings)
ModelDistiller(config, checkpoints=Checkpoints(kept, every_seconds=0)).distill(loader.prepare_distillation_dataset())
"""


def start(settings: dict[str, object], table: Path, kept: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", CHILD, json.dumps(settings), str(table), str(kept)]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)


def steps_done(kept: Path, phase: str) -> int:
    found = Checkpoints(kept).load(phase)
    return len(found.facts["losses"]) if found else 0


def test_every_phase_goes_on_with_the_next_loss(tmp_path: Path, cities: Path) -> None:
    settings = {
        "teacher_model_name": str(tiny_llama(tmp_path / "teacher", cities.read_text(encoding="utf-8"), layers=8)),
        "student_layers": 2,
        "correction": {"steps": 20, "evaluate_every": 6},
        "alignment_steps": 40,
        "steps": 40,
        "evaluate_every": 7,
        "held_out": 0.4,
        "batch_tokens": 512,
        "rehearsal": 1.0,
    }
    assert start(settings, cities, tmp_path / "whole").wait() == 0
    for phase in PHASES:
        process = start(settings, cities, tmp_path / "killed")
        while steps_done(tmp_path / "killed", phase) < 3:
            assert process.poll() is None, f"ended before {phase} could be killed"
            time.sleep(0.002)
        process.kill()
        process.wait()
    assert start(settings, cities, tmp_path / "killed").wait() == 0
    for phase in PHASES:
        whole, killed = (Checkpoints(tmp_path / name).load(phase) for name in ("whole", "killed"))
        assert whole is not None and killed is not None
        assert killed.facts["losses"] == pytest.approx(whole.facts["losses"], rel=0, abs=1e-6)
        assert killed.facts["scores"] == whole.facts["scores"]
        assert bool(whole.facts["scores"]) == (not phase.startswith("align"))
