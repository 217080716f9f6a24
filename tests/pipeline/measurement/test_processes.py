"""Costs are measured in fresh processes, from the counters that tell the truth."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from attar.pipeline.measurement.processes import Variant, measure_costs
from attar.runtime.errors import CheckFailed


def test_both_kinds_are_measured_on_the_same_tokens(teacher_folder: Path, bundle_folder: Path) -> None:
    variants = {"teacher": Variant("torch", teacher_folder), "bundle": Variant("bundle", bundle_folder)}
    costs = measure_costs(variants, [1, 90, 91, 2], tokens=12, threads=1, repetitions=2)
    assert all(value > 0 for cost in costs.values() for value in cost.to_dict().values())
    assert costs["bundle"].peak_memory_bytes < costs["teacher"].peak_memory_bytes  # no torch in it


def test_memory_is_the_childs_own_even_below_a_large_parent() -> None:
    code = (
        "import subprocess, sys; ballast = bytearray(400_000_000); ballast[::4096] = b'x' * len(ballast[::4096])\n"
        "child = 'from attar.pipeline.measurement.worker import _peak_memory; print(_peak_memory())'\n"
        "print(subprocess.run([sys.executable, '-c', child], capture_output=True, text=True).stdout)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 1_000_000 < int(done.stdout) < 150_000_000


def test_a_spike_is_seen_after_it_is_gone() -> None:
    code = (
        "import mmap; from attar.pipeline.measurement.worker import _peak_memory; before = _peak_memory()\n"
        "spike = mmap.mmap(-1, 200 << 20)\nfor at in range(0, 200 << 20, 4096): spike[at] = 1\n"
        "spike.close(); print(_peak_memory() - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) == pytest.approx(200 << 20, rel=0.02)


def test_a_variant_that_fails_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckFailed, match="'broken' failed"):
        measure_costs({"broken": Variant("bundle", tmp_path)}, [1], tokens=8, threads=1, repetitions=1)
