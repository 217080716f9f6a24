"""A loss that has run away, told from one that rises and comes back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attar.pipeline.training.runaway import WINDOW, has_run_away

LOSS = st.floats(0, 50, allow_nan=False)


@given(st.lists(LOSS, max_size=60), st.floats(0, 3))
def test_what_stays_below_three_nats_has_not(losses: list[float], most: float) -> None:
    assert not has_run_away([min(loss, most) for loss in losses])


@given(st.lists(LOSS, min_size=WINDOW, max_size=WINDOW), st.lists(LOSS, max_size=20), st.floats(0.01, 10))
def test_what_ends_clearly_above_both_bounds_has(first: list[float], between: list[float], above: float) -> None:
    gone = max(3.0, 3 * sum(first) / WINDOW) + above
    assert has_run_away([*first, *between, *[gone] * WINDOW])


@pytest.mark.parametrize(
    ("losses", "gone"),
    [
        ([1.2] * 20 + [2, 3, 4, 5, 6, 7, 7, 7], True),
        ([0.01] * 10 + [0.3] * 10 + [0.9] * 20, False),
        ([6.0] * 10 + [9.0] * 10, False),
        ([1.2] * 20 + [20.0], False),
        ([-1.0] * 10 + [0.5] * 10, False),
        ([9.0] * 9, False),
    ],
    ids=["as it was seen", "after alignment", "gibberish", "one hard batch", "below zero", "too few"],
)
def test_rising_is_not_enough(losses: list[float], gone: bool) -> None:
    assert has_run_away(losses) is gone


def test_steps_before_the_weights_were_put_back_do_not_count() -> None:
    losses = [1.0] * 10 + [9.0] * 10 + [1.0] * 10
    assert has_run_away(losses[:20])
    assert not has_run_away(losses[:25], begun=20)
    assert not has_run_away(losses, begun=20)
    assert has_run_away([*losses, *[9.0] * 10], begun=20)
