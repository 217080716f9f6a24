"""Intervals and tests against numbers worked out otherwise."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attar.pipeline.evaluation.statistics import bootstrap_difference, mcnemar


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_the_two_sided_binomial_test(gained: int, lost: int) -> None:
    n = gained + lost
    tail = sum(Fraction(math.comb(n, k), 2**n) for k in range(min(gained, lost) + 1))
    assert mcnemar(gained, lost) == pytest.approx(float(min(Fraction(1), 2 * tail)), rel=1e-12)
    assert mcnemar(gained, lost) == mcnemar(lost, gained)


def test_mcnemar_bears_many_questions() -> None:
    assert mcnemar(3000, 3000) == 1
    assert mcnemar(2900, 3100) == pytest.approx(math.erfc(199 / math.sqrt(2 * 6000)), rel=0.01)
    assert mcnemar(0, 5000) == 0


def test_the_bootstrap_is_seeded_paired_and_near_the_normal_interval() -> None:
    rng = np.random.default_rng(0)
    theirs = rng.random(2000) < 0.8
    ours = np.where(rng.random(2000) < 0.1, rng.random(2000) < 0.7, theirs)
    found = bootstrap_difference(ours.tolist(), theirs.tolist())
    assert found == bootstrap_difference(ours.tolist(), theirs.tolist())
    differences = ours.astype(float) - theirs.astype(float)
    half = 1.96 * differences.std() / math.sqrt(2000)
    assert found.value == pytest.approx(differences.mean())
    assert found.high - found.low == pytest.approx(2 * half, rel=0.05)


def test_shared_mistakes_do_not_widen_the_interval() -> None:
    right = [1.0, 0.0] * 200
    found = bootstrap_difference(right, right)
    assert (found.low, found.value, found.high) == (0, 0, 0)


def test_what_can_not_be_paired_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        bootstrap_difference([], [])
    with pytest.raises(ValueError, match="as many"):
        bootstrap_difference([1.0], [1.0, 0.0])
