"""Cuts in steps: which students stand on the way, and what they get of the training."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attar.pipeline.student.cuts import counts_on_the_way, halvings, layers_on_the_way, shared_steps
from attar.runtime.errors import UsageError


@pytest.mark.parametrize(
    ("total", "keep", "counts"),
    [(30, 15, []), (30, 16, []), (30, 10, [15]), (30, 7, [15]), (30, 6, [15, 8]), (30, 3, [15, 8, 4]), (4, 1, [2])],
)
def test_half_comes_first_until_the_rest_is_no_more_than_half(total: int, keep: int, counts: list[int]) -> None:
    assert halvings(total, keep) == counts
    assert counts_on_the_way(None, total, keep) == counts


def test_counts_that_were_asked_for_are_taken() -> None:
    assert counts_on_the_way([20, 14], 30, 10) == [20, 14]
    assert counts_on_the_way([], 30, 3) == []


@pytest.mark.parametrize("counts", [[30], [10], [9], [14, 20], [15, 15]])
def test_counts_that_lead_nowhere_are_refused(counts: list[int]) -> None:
    with pytest.raises(UsageError, match="do not lead from 30 to 10") as caught:
        counts_on_the_way(counts, 30, 10)
    assert caught.value.where == "distillation.cuts"


def test_layers_between_are_spread_evenly_among_those_of_the_student() -> None:
    assert layers_on_the_way(12, [0, 4, 7, 11], [8]) == [[0, 2, 4, 5, 7, 8, 10, 11], [0, 4, 7, 11]]


@given(st.data())
def test_every_student_is_a_part_of_the_one_before_and_the_last_is_as_it_was_chosen(data: st.DataObject) -> None:
    total = data.draw(st.integers(2, 40))
    final = sorted(data.draw(st.sets(st.integers(0, total - 1), min_size=1)))
    between = range(len(final) + 1, total)
    counts = sorted(data.draw(st.sets(st.sampled_from(between))) if between else set(), reverse=True)
    way = layers_on_the_way(total, final, counts)
    assert way[-1] == final
    assert [len(layers) for layers in way] == [*counts, len(final)]
    assert all(layers == sorted(set(layers)) for layers in way)
    assert all(set(smaller) < set(larger) for larger, smaller in pairwise(way))


@given(st.integers(0, 1000), st.integers(1, 5), st.floats(0.01, 1.0))
def test_no_step_is_lost_or_added(steps: int, students: int, share: float) -> None:
    shared = shared_steps(steps, students, share)
    assert len(shared) == students
    assert sum(shared) == steps
    assert min(shared) >= 0
    assert len(set(shared[:-1])) <= 1


def test_the_last_student_gets_its_share() -> None:
    assert shared_steps(200, 3, 0.5) == [50, 50, 100]
    assert shared_steps(80, 2, 0.75) == [20, 60]
    assert shared_steps(800, 3, 0.8) == [80, 80, 640]  # 1 - 0.8 is a little less than 0.2
