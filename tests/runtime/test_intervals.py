"""Intervals against numbers worked out otherwise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attar.runtime.intervals import grouped_share, paired_loss, wilson

GROUPS = st.lists(
    st.tuples(st.integers(1, 12), st.integers(0, 12)).map(lambda pair: (max(pair), min(pair))), min_size=1
)


@given(st.integers(0, 400), st.integers(1, 400))
def test_wilsons_ends_are_where_the_score_test_just_rejects(right: int, more: int) -> None:
    n = right + more
    found = wilson(right, n)
    assert 0 <= found.low <= found.value <= found.high <= 1
    for end in (found.low, found.high):
        if 1e-9 < end < 1 - 1e-9:
            z = abs(right / n - end) / math.sqrt(end * (1 - end) / n)
            assert z == pytest.approx(1.959964, rel=1e-4)


def test_wilson_of_no_answers_says_nothing_and_of_all_right_ones_not_certainty() -> None:
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0, 1)
    assert wilson(20, 20).high == 1
    assert 0.8 < wilson(20, 20).low < 0.9


@given(GROUPS)
def test_groups_never_tell_more_than_as_many_single_things(groups: list[tuple[int, int]]) -> None:
    sizes, right = [size for size, _ in groups], [count for _, count in groups]
    found, single = grouped_share(right, sizes), wilson(sum(right), sum(sizes))
    assert found.value == pytest.approx(single.value)
    assert 0 <= found.low <= single.low + 1e-9
    assert single.high - 1e-9 <= found.high <= 1


def test_groups_of_one_are_single_things_and_groups_of_copies_count_once() -> None:
    right = [1] * 90 + [0] * 10
    alone, copies = grouped_share(right, [1] * 100), grouped_share([7 * one for one in right], [7] * 100)
    expected = wilson(90, 100)
    for found in (alone, copies):
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-3)


def test_one_group_alone_says_nothing() -> None:
    found = grouped_share([9], [10])
    assert (found.value, found.low, found.high) == (0.9, 0.0, 1.0)


def test_the_interval_of_groups_holds_the_truth_nineteen_times_in_twenty() -> None:
    """Answers of 1 to 12 tokens, each with a share of its own around 0.95; the interval must know the truth."""
    rng, held = np.random.default_rng(0), 0
    for _ in range(400):
        sizes = rng.integers(1, 13, 200)
        right = rng.binomial(sizes, rng.beta(9.5, 0.5, 200))
        found = grouped_share(right.tolist(), sizes.tolist())
        held += found.low <= 0.95 <= found.high
    assert 0.91 <= held / 400 <= 0.985


def test_a_paired_loss_is_less_sure_with_fewer_answers() -> None:
    few, many = paired_loss(4, 1, 50), paired_loss(80, 20, 1000)
    assert few.value == many.value == pytest.approx(0.06)
    assert few.low < 0 < many.low
    assert many.high - many.low == pytest.approx(2 * 1.959964 * math.sqrt((0.1 - 0.06**2) / 1000))
    assert paired_loss(0, 0, 30).low == 0
    assert (paired_loss(0, 0, 0).low, paired_loss(0, 0, 0).high) == (-1, 1)
