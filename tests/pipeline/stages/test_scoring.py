"""Which samples are scored, where not all of them are."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from attar.pipeline.stages.scoring import spread


@given(st.integers(0, 200), st.integers(1, 250))
def test_as_many_as_wanted_are_taken_in_order_and_evenly(total: int, count: int) -> None:
    found = spread(range(total), count)
    assert len(found) == min(total, count)
    steps = [second - first for first, second in pairwise(found)]
    assert all(step >= 1 for step in steps)
    assert not steps or max(steps) - min(steps) <= 1


def test_all_are_taken_where_no_number_is_given() -> None:
    assert spread("abc", None) == ["a", "b", "c"]
