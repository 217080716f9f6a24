"""Which token comes next."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from attar.runtime.engine.sampling import SamplingSettings, next_token
from attar.runtime.errors import UsageError

LOGITS = arrays(np.float32, 20, elements=st.floats(-30, 30, width=32))


def draw(logits: np.ndarray, count: int, **settings: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    chosen = SamplingSettings(**settings)  # type: ignore[arg-type]
    return np.bincount([next_token(logits, chosen, rng) for _ in range(count)], minlength=logits.size) / count


@given(LOGITS)
def test_greedy_takes_the_most_likely_token(logits: np.ndarray) -> None:
    assert next_token(logits, SamplingSettings(), np.random.default_rng()) == logits.argmax()


@given(LOGITS, st.integers(1, 20))
def test_top_k_never_leaves_the_k_best(logits: np.ndarray, k: int) -> None:
    token = next_token(logits, SamplingSettings(temperature=1, top_k=k), np.random.default_rng(1))
    assert (logits > logits[token]).sum() < k


def test_sampled_shares_follow_the_softened_distribution() -> None:
    logits = np.log(np.array([0.5, 0.3, 0.15, 0.05], np.float32))
    assert np.abs(draw(logits, 4000, temperature=1) - [0.5, 0.3, 0.15, 0.05]).max() < 0.03
    squared = np.array([0.25, 0.09, 0.0225, 0.0025])
    assert np.abs(draw(logits, 4000, temperature=0.5) - squared / squared.sum()).max() < 0.03


def test_top_p_keeps_the_smallest_set_that_reaches_p() -> None:
    logits = np.log(np.array([0.5, 0.3, 0.15, 0.05], np.float32))
    shares = draw(logits, 2000, temperature=1, top_p=0.7)
    assert shares[2:].sum() == 0
    assert abs(shares[0] - 0.625) < 0.04


@pytest.mark.parametrize("settings", [{"temperature": -1}, {"top_k": -1}, {"top_p": 0}, {"top_p": 1.5}])
def test_settings_out_of_range_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="make no sense"):
        SamplingSettings(**settings)  # type: ignore[arg-type]
