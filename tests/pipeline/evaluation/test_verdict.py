"""One word for how a student stands to its teacher, over all questions and by kind."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attar.pipeline.evaluation import judge


def answers(both: int, gained: int, lost: int, neither: int) -> tuple[list[bool], list[bool]]:
    ours = [True] * both + [True] * gained + [False] * lost + [False] * neither
    theirs = [True] * both + [False] * gained + [True] * lost + [False] * neither
    return ours, theirs


@pytest.mark.parametrize(
    ("counts", "word"),
    [
        ((400, 60, 20, 20), "BEATS"),
        ((900, 5, 8, 87), "HOLDS"),
        ((500, 0, 0, 0), "HOLDS"),
        ((900, 0, 8, 92), "HOLDS"),  # worse by less than 2 points, and surely so
        ((300, 10, 80, 110), "LOSES"),
        ((20, 4, 5, 3), "INCONCLUSIVE"),
    ],
)
def test_the_word_follows_from_the_interval(counts: tuple[int, int, int, int], word: str) -> None:
    ours, theirs = answers(*counts)
    verdict = judge(ours, theirs, ["lookup"] * len(ours))
    assert verdict.word == word
    assert (verdict.gained, verdict.lost, verdict.n) == (counts[1], counts[2], sum(counts))
    assert verdict.ours.value == pytest.approx((counts[0] + counts[1]) / sum(counts))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.sampled_from("abc")), min_size=1, max_size=60))
def test_kinds_share_out_all_questions_and_a_turned_pair_has_the_turned_difference(
    found: list[tuple[bool, bool, str]],
) -> None:
    ours, theirs, kinds = (list(column) for column in zip(*found, strict=True))
    verdict, turned = judge(ours, theirs, kinds), judge(theirs, ours, kinds)
    assert sum(kind.n for kind in verdict.kinds.values()) == verdict.n == len(found)
    assert sum(kind.gained for kind in verdict.kinds.values()) == verdict.gained
    assert verdict.difference.value == pytest.approx(-turned.difference.value)
    assert verdict.p_value == turned.p_value
    assert not (verdict.word == "BEATS" and turned.word in ("BEATS", "LOSES") and turned.word != "LOSES")


def test_a_kind_below_four_fifths_of_the_teacher_is_named() -> None:
    weak, fine = answers(70, 0, 20, 10), answers(90, 0, 5, 5)
    kinds = ["claim"] * 100 + ["lookup"] * 100
    verdict = judge(weak[0] + fine[0], weak[1] + fine[1], kinds)
    assert verdict.weak == ["claim"]
    assert verdict.kinds["claim"].word == "LOSES"
    assert json.loads(json.dumps(verdict.to_dict()))["kinds"]["lookup"]["n"] == 100


def test_what_can_not_be_paired_is_refused() -> None:
    with pytest.raises(ValueError, match="1 and 2 answers to questions of 1 kinds"):
        judge([True], [True, False], ["a"])
