"""Kill a small run at random instants of every stage, run it again, and compare what it comes to.

    python -m benchmarks.survive [KILLS] [SEED]    # 30 kills by default, about fifteen minutes

The run goes through every stage on a tiny teacher, its student cut in steps, and saves a checkpoint at every step. The
kills go through the stages in turn; each falls, with SIGKILL, at a random instant of the time that the uninterrupted
run spent in that stage. Then the run is called again; every file of data, teacher, student, finished student, exported
bundle and baseline must have the uninterrupted run's SHA-256, and nothing half written may be left. Exits with 1 where
that is not so.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.conftest import CITIES
from tests.tiny import tiny_llama

STAGES = ("data", "teacher", "student", "finish", "export", "baseline", "measurement", "card")
COMPARED = STAGES[:6]
CONFIG = {
    "name": "small",
    "data": {
        "tables": [{"path": "cities.csv", "label": "city"}],
        "records_per_table": 12,
        "test_share": 0.5,
        "test_questions": 6,
    },
    "distillation": {
        "teacher_model_name": "teacher",
        "correction": {"steps": 60},
        "student_layers": 1,
        "cuts": [2],
        "alignment_steps": 40,
        "steps": 60,
        "batch_tokens": 1024,
        "checkpoint_seconds": 0,
    },
    "finish": {"steps": 40},
    "export": {"quantize": "int8", "min_agreement": 0},
    "measurement": {"repetitions": 1, "decode_tokens": 8, "max_new_tokens": 8, "threads": 1},
}


def start(folder: Path, runs: Path) -> subprocess.Popen[bytes]:
    """The run as a user calls it."""
    command = [sys.executable, "-c", "from attar.runtime.cli import main; main()", "run", str(folder / "small.json")]
    log = (folder / "log.txt").open("wb")
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    return subprocess.Popen([*command, "--runs", str(runs)], stdout=log, stderr=log, env=environment)


def manifest(runs: Path) -> dict[str, Any]:
    """What a whole run says of its stages."""
    stages: dict[str, Any] = json.loads((runs / "small" / "run.json").read_text())["stages"]
    return stages


def is_made(runs: Path, stage: str) -> bool:
    """Whether a stage's product is there."""
    return (runs / "small" / "stages" / stage / "stage.json").is_file()


def kill_in(stage: str, folder: Path, runs: Path, seconds: float) -> str:
    """Start a run and kill it some time after the stage before this one was made; returns where it then stood."""
    before = STAGES[STAGES.index(stage) - 1] if stage != STAGES[0] else None
    process = start(folder, runs)
    while before and not is_made(runs, before) and process.poll() is None:
        time.sleep(0.001)
    time.sleep(seconds)
    process.kill()
    process.wait()
    return next((name for name in STAGES if not is_made(runs, name)), "end")


def main(kills: int, seed: int) -> int:
    """Kill and compare; returns the exit code."""
    chance, where, differing = random.Random(seed), Counter[str](), 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "cities.csv").write_text(CITIES, encoding="utf-8")
        (folder / "small.json").write_text(json.dumps(CONFIG))
        tiny_llama(folder / "teacher", CITIES)
        assert start(folder, folder / "whole").wait() == 0, (folder / "log.txt").read_text()
        whole = manifest(folder / "whole")
        for turn in range(kills):
            runs, stage = folder / f"killed-{turn}", STAGES[turn % len(STAGES)]
            stood = kill_in(stage, folder, runs, chance.uniform(0, whole[stage]["seconds"]))
            where[stood] += 1
            assert start(folder, runs).wait() == 0, (folder / "log.txt").read_text()
            again = manifest(runs)
            same = all(again[name]["files"] == whole[name]["files"] for name in COMPARED)
            same = same and not list(runs.rglob("*.part"))
            differing += not same
            print(f"{turn + 1}/{kills} killed in {stood}: {'same hashes' if same else 'OTHER HASHES'}", flush=True)
    print(f"{kills - differing} of {kills} came to the same hashes; killed in {dict(where)}")
    return int(differing > 0)


if __name__ == "__main__":
    kills, seed = (*map(int, sys.argv[1:]), *(30, 0)[len(sys.argv) - 1 :])
    sys.exit(main(kills, seed))
