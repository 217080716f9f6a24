"""The interval holds the truth as often as it says, whatever the machine does meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attar.pipeline.measurement import compare, compare_blocks
from attar.pipeline.measurement.comparison import take_blocks
from attar.runtime.errors import UsageError


class NoisyMachine:
    """A clock for work on a machine that gets slower, has busy phases, and now and then a hiccup."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._calls = 0

    def work(self, seconds: float) -> Callable[[], float]:
        def measured() -> float:
            self._calls += 1
            drift = 1 + 0.005 * self._calls
            phase = 1.2 if self._calls // 9 % 4 == 3 else 1.0
            hiccup = 1 + self._rng.exponential(0.3) if self._rng.random() < 0.1 else 1.0
            return float(seconds * drift * phase * hiccup * self._rng.lognormal(0, 0.02))

        return measured


def test_a_thing_is_as_fast_as_itself_in_95_of_100_intervals() -> None:
    held = 0
    for seed in range(200):
        machine = NoisyMachine(seed)
        found = compare(machine.work(0.05), machine.work(0.05), 30)
        held += found.low <= 1 <= found.high
    assert held >= 186  # of 200; 95 in 100 is 190, and more than that is no fault


def test_a_tenth_more_is_found() -> None:
    found = []
    for seed in range(100):
        machine = NoisyMachine(1000 + seed)
        found.append(compare(machine.work(0.05), machine.work(0.055), 30))
    assert sum(each.low > 1 for each in found) >= 95
    assert np.median([each.ratio for each in found]) == pytest.approx(1.1, rel=0.01)


def test_real_work_of_twice_the_length_is_found() -> None:
    def spin(seconds: float) -> Callable[[], float]:
        def measured() -> float:
            started = time.perf_counter()
            while time.perf_counter() < started + seconds:
                pass
            return time.perf_counter() - started

        return measured

    found = compare(spin(0.002), spin(0.02), 20)
    assert found.low > 1
    assert found.pairs == 20


def test_measurements_are_taken_in_blocks_of_first_second_second_first() -> None:
    calls: list[str] = []

    def named(name: str) -> Callable[[], float]:
        def measured() -> float:
            calls.append(name)
            return float(len(calls))

        return measured

    blocks = list(take_blocks(named("a"), named("b"), 3))
    assert "".join(calls) == "abbaabba"
    assert blocks[0] == ((1, 4), (2, 3))


def test_steady_drift_alone_is_no_difference() -> None:
    clock = iter(range(100, 1000))
    found = compare(lambda: next(clock), lambda: next(clock), 20, warmups=0)
    assert (found.ratio, found.low, found.high) == pytest.approx((1, 1, 1), abs=0.001)


def test_warm_ups_do_not_count() -> None:
    first, second = iter([50.0, *[1.0] * 8]), iter([90.0, *[2.0] * 8])
    found = compare(lambda: next(first), lambda: next(second), 8)
    assert found.to_dict() == pytest.approx({"ratio": 2.0, "low": 2.0, "high": 2.0, "pairs": 8})


@given(
    st.lists(st.tuples(*[st.floats(1e-3, 1e3)] * 4), min_size=1, max_size=8),
    st.floats(0.01, 100),
)
def test_a_unit_changes_nothing_and_the_interval_is_in_order(values: list[tuple[float, ...]], unit: float) -> None:
    blocks = [(value[:2], value[2:]) for value in values]
    found = compare_blocks(blocks)
    assert 0 < found.low <= found.high
    assert found == compare_blocks(blocks)  # seeded
    scaled = compare_blocks([([unit * x for x in first], [unit * x for x in second]) for first, second in blocks])
    assert (scaled.ratio, scaled.low, scaled.high) == pytest.approx((found.ratio, found.low, found.high))


@pytest.mark.parametrize("blocks", [[], [([0.0], [1.0])], [([1.0], [-1.0])]])
def test_what_cant_be_compared_is_refused(blocks: list[tuple[list[float], list[float]]]) -> None:
    with pytest.raises(UsageError, match="positive figures"):
        compare_blocks(blocks)
