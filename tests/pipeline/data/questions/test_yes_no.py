"""Yes or no, with wrong values from the same column."""

from __future__ import annotations

from tests.pipeline.data.questions.scenes import CORK, DELFT, FARO, HAARLEM, ask, right

ROWS = [CORK, DELFT, HAARLEM, FARO]


def test_yes_is_for_the_recorded_value_and_no_for_another_rows() -> None:
    found = [question for seed in range(40) for question in ask("yes_no", *ROWS, seed=seed, count=2)]
    answers = [question.answer for question in found]
    assert 0.3 < answers.count("yes") / len(answers) < 0.7
    for question in found:
        if question.columns == ("land",):
            assert (question.answer == "yes") == (question.given["value"] == "Ireland")
            assert question.given["value"] in ("Ireland", "Netherlands", "Portugal")
        assert question.given["value"] in question.text


def test_nothing_is_asked_where_no_row_has_another_value() -> None:
    assert ask("yes_no", CORK, {**CORK, "name": "Twin"}) == []


def test_the_other_answer_is_wrong() -> None:
    for question in ask("yes_no", *ROWS):
        assert not right("yes_no", question, ROWS, answer="no" if question.answer == "yes" else "yes")
