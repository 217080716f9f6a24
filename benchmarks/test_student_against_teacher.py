"""Size, memory and speed of the quickstart's student in its bundle, against the torch teacher.

The timed part is the bundle's; the comparison, taken in turn with the teacher, stands in ``extra_info``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from attar.pipeline.measurement import Costs, Variant
from attar.pipeline.measurement.bundles import measure_bundle, typical_prompt
from attar.pipeline.measurement.processes import WorkerProcess
from attar.runtime import Bundle
from attar.runtime.limits import available_threads

TOKENS = 32


@pytest.fixture(scope="module")
def costs(bundle: Path, teacher: Path) -> Costs:
    """Both measured in turn, once for all tests."""
    return measure_bundle(bundle, str(teacher), tokens=TOKENS, threads=available_threads(), rounds=3, pairs=12)


@pytest.fixture(scope="module")
def worker(bundle: Path) -> Iterator[WorkerProcess]:
    """The bundle in a process of its own."""
    with WorkerProcess("bundle", Variant("bundle", bundle), available_threads()) as process:
        yield process


def note(benchmark: BenchmarkFixture, costs: Costs, *ratios: str) -> None:
    """Write figures and ratios to the JSON, beside the timing."""
    benchmark.extra_info["costs"] = {name: cost.to_dict() for name, cost in costs.variants.items()}
    benchmark.extra_info["times_better"] = {name: costs.ratios[name].to_dict() for name in ratios}


def test_size_and_opening(benchmark: BenchmarkFixture, bundle: Path, costs: Costs) -> None:
    """Every byte of the bundle read and checked."""
    opened = benchmark.pedantic(Bundle.open, args=(bundle,), rounds=5, warmup_rounds=1)
    note(benchmark, costs, "size")
    assert opened.size == costs.variants["bundle"].size_bytes
    assert costs.ratios["size"].ratio > 1


def test_memory_and_start(benchmark: BenchmarkFixture, bundle: Path, costs: Costs) -> None:
    """A fresh process from nothing to ready."""

    def start() -> None:
        WorkerProcess("bundle", Variant("bundle", bundle), available_threads()).close()

    benchmark.pedantic(start, rounds=3)
    note(benchmark, costs, "memory", "load")
    assert costs.ratios["memory"].low > 1


def test_answer(benchmark: BenchmarkFixture, bundle: Path, worker: WorkerProcess, costs: Costs) -> None:
    """A question on a record of median length, read and answered with 32 tokens."""
    prompt = typical_prompt(Bundle.open(bundle))
    took = benchmark.pedantic(worker.ask, args=(prompt, TOKENS), rounds=10, warmup_rounds=1)
    note(benchmark, costs, "first_token", "decode", "forced")
    benchmark.extra_info |= took["did"]
    assert costs.ratios["decode"].low > 1
