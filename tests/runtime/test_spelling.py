"""The nearest known word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attar.runtime.spelling import edit_distance, nearest


@pytest.mark.parametrize(
    ("left", "right", "edits"),
    [("", "", 0), ("steps", "", 5), ("stesp", "steps", 1), ("stps", "steps", 1), ("name", "base", 2), ("ca", "abc", 3)],
)
def test_edits_are_counted(left: str, right: str, edits: int) -> None:
    assert edit_distance(left, right) == edits


@given(st.text("abc", max_size=8), st.text("abc", max_size=8))
def test_it_is_a_distance(left: str, right: str) -> None:
    edits = edit_distance(left, right)
    assert edits == edit_distance(right, left)
    assert (edits == 0) == (left == right)
    assert abs(len(left) - len(right)) <= edits <= max(len(left), len(right))


@pytest.mark.parametrize(
    ("word", "expected"),
    [("nmae", "name"), ("NAME", "name"), ("base", None), ("temprture", "temperature"), ("x", None), ("", None)],
)
def test_two_edits_are_near_in_long_words_only(word: str, expected: str | None) -> None:
    assert nearest(word, ["name", "data", "temperature"]) == expected


def test_of_equally_near_words_the_one_with_more_letters_in_common_wins() -> None:
    assert nearest("stepps", ["steps", "stepper"]) == "steps"
    assert nearest("anything", []) is None
