"""Exact match and value match."""

from __future__ import annotations

import pytest

from attar.pipeline.evaluation import exact_match, score, value_match


@pytest.mark.parametrize(
    ("answer", "expected", "exact", "value"),
    [
        ("Copenhagen", "Copenhagen", True, True),
        ("  copenhagen. ", "Copenhagen", True, True),
        ("Ｃopenhagen", "Copenhagen", True, True),
        ("New\n York", "new york", True, True),
        ("It is Copenhagen.", "Copenhagen", False, True),
        ("Copenhage", "Copenhagen", False, False),
        ("", "Copenhagen", False, False),
        ("Known to the ancients", "Known to the ancients.", True, True),
    ],
)
def test_equal_after_normalization(answer: str, expected: str, exact: bool, value: bool) -> None:
    assert exact_match(answer, expected) is exact
    assert value_match(answer, expected) is value


def test_scores_are_shares_of_all_answers() -> None:
    scores = score(["a", "the b", "c", "x"], ["a", "b", "c", "d"])
    assert scores.to_dict() == {"exact_match": 0.5, "value_match": 0.75, "n": 4}
    with pytest.raises(ValueError, match="argument 2"):
        score(["a"], ["a", "b"])


CALL = '<tool_call>\n{"name": "weather", "arguments": {"city": "Ghent", "days": 1}}\n</tool_call>'


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        (CALL, True),
        (f" {CALL}\n", True),
        (CALL.replace('"city": "Ghent", "days": 1', '"days":1,   "city":"Ghent"'), True),
        (CALL.replace("Ghent", "ghent"), False),
        (CALL.replace("1}", "1.0}"), False),
        (CALL.replace("weather", "Weather"), False),
        (CALL.replace("</tool_call>", ""), False),
        ("weather in Ghent", False),
    ],
)
def test_calls_of_tools_are_equal_in_name_and_arguments(answer: str, right: bool) -> None:
    assert exact_match(answer, CALL) is right
