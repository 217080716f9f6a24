"""Kill a small run at random instants, run it again, and compare what it comes to.

    python -m benchmarks.survive [KILLS] [SEED]    # 30 kills by default, about fifteen minutes

The run goes through every stage on a tiny teacher and saves a checkpoint at every step. Each time it is killed
with SIGKILL at a random instant of the uninterrupted run's length and then called again; every file of data,
teacher, student and exported bundle must have the uninterrupted run's SHA-256. Exits with 1 where one has not.
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

COMPARED = ("data", "teacher", "student", "export")
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
        "alignment_steps": 40,
        "steps": 60,
        "batch_tokens": 1024,
        "checkpoint_seconds": 0,
    },
    "export": {"quantize": "int8", "min_agreement": 0},
    "measurement": {"repetitions": 1, "decode_tokens": 8, "max_new_tokens": 8, "threads": 1},
}


def start(folder: Path, runs: Path) -> subprocess.Popen[bytes]:
    """The run as a user calls it."""
    command = [sys.executable, "-c", "from attar.runtime.cli import main; main()", "run", str(folder / "small.json")]
    log = (folder / "log.txt").open("wb")
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    return subprocess.Popen([*command, "--runs", str(runs)], stdout=log, stderr=log, env=environment)


def outcome(runs: Path) -> dict[str, Any]:
    """Every file of what is compared, with its hash."""
    stages = json.loads((runs / "small" / "run.json").read_text())["stages"]
    return {name: stages[name]["files"] for name in COMPARED}


def reached(runs: Path) -> str:
    """The stage in which a killed run stood."""
    stages = ("data", "teacher", "student", "export", "measurement", "card")
    made = [name for name in stages if (runs / "small" / "stages" / name / "stage.json").is_file()]
    if not (runs / "small").is_dir():
        return "start"
    return stages[len(made)] if len(made) < len(stages) else "end"


def main(kills: int, seed: int) -> int:
    """Kill and compare; returns the exit code."""
    chance, where, differing = random.Random(seed), Counter[str](), 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "cities.csv").write_text(CITIES, encoding="utf-8")
        (folder / "small.json").write_text(json.dumps(CONFIG))
        tiny_llama(folder / "teacher", CITIES)
        began = time.monotonic()
        assert start(folder, folder / "whole").wait() == 0, (folder / "log.txt").read_text()
        length = time.monotonic() - began
        wanted = outcome(folder / "whole")
        for turn in range(kills):
            runs = folder / f"killed-{turn}"
            process = start(folder, runs)
            time.sleep(chance.uniform(0, length))
            process.kill()
            process.wait()
            stage = reached(runs)
            where[stage] += 1
            assert start(folder, runs).wait() == 0, (folder / "log.txt").read_text()
            leftovers = list(runs.rglob("*.part"))
            same = outcome(runs) == wanted and not leftovers
            differing += not same
            print(f"{turn + 1}/{kills} killed in {stage}: {'same hashes' if same else 'OTHER HASHES'}", flush=True)
    print(
        f"{kills - differing} of {kills} came to the same hashes; killed in {dict(where)}; a run takes {length:.0f} s"
    )
    return int(differing > 0)


if __name__ == "__main__":
    kills, seed = (*map(int, sys.argv[1:]), *(30, 0)[len(sys.argv) - 1 :])
    sys.exit(main(kills, seed))
