"""Memory is the process's own, to the last short-lived page."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from attar.pipeline.measurement import memory
from tests.conftest import ROOT
from tests.pipeline.measurement.subjects import SPIKE_BYTES

# What a driver does that holds 1 GB itself: five fresh workers, one after the other.
DRIVER = """
import json, sys
from attar.pipeline.measurement import Variant
from attar.pipeline.measurement.processes import WorkerProcess
ballast = bytearray(1_000_000_000)
ballast[::4096] = b"x" * len(ballast[::4096])
for _ in range(5):
    with WorkerProcess("spike", Variant("tests.pipeline.measurement.subjects:Spike", ""), 1) as worker:
        print(json.dumps(worker.ask([1], 2, memory=True)["memory"]))
"""


def test_200_mib_for_5_ms_are_seen_five_times_over_also_below_a_driver_that_holds_1_gb() -> None:
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", DRIVER],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": path},
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == 5
    for use in found:
        if use["exact"]:
            assert use["peak"] - use["before"] == pytest.approx(SPIKE_BYTES, rel=0.01)
        assert SPIKE_BYTES < use["process_peak"] < SPIKE_BYTES + 150_000_000
        assert 0 < use["anonymous"] < 100_000_000
        assert use["file"] > 0


def test_where_the_peak_cant_be_reset_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_PROCESS", tmp_path / "nowhere")
    assert memory.reset_peak() is False
    assert memory.peak() == 0
    assert memory.shares() == {"anonymous": 0, "file": 0}


def test_growth_is_the_peak_above_what_was_there() -> None:
    assert memory.MemoryUse(before=100, peak=350, exact=True).growth == 250
