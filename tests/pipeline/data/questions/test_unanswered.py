"""What the records do not say, and that only the record tells."""

from __future__ import annotations

from attar.pipeline.data.questions import KINDS
from attar.runtime.prompts import NO_VALUE, NOT_FOUND
from tests.pipeline.data.questions.scenes import CORK, DELFT, FARO, SCHEMA, ask, right


def test_an_empty_column_or_one_left_out_is_not_recorded() -> None:
    asked = [question for seed in range(30) for question in ask("not_recorded", CORK, seed=seed, count=2)]
    assert {question.answer for question in asked} == {NO_VALUE}
    assert {question.columns for question in asked} == {("land",), ("people",), ("born",), ("opened",), ("x",)}
    for question in asked:
        assert not set(question.columns) & set(question.shown)
        assert question.shown, "something stays"
    question = next(q for q in asked if q.columns == ("land",))
    assert not right("not_recorded", question, [CORK], shown=("land", "people"))
    assert not right("not_recorded", question, [CORK], answer="Ireland")


def test_another_rows_record_does_not_answer() -> None:
    asked = ask("abstain", CORK, DELFT, FARO)
    assert {question.given["entity"] for question in asked} == {"Delft", "Faro"}
    assert {question.answer for question in asked} == {NOT_FOUND}
    record = KINDS["abstain"].record(asked[0], SCHEMA, [CORK])
    assert record.startswith("city:Cork\ncountry:Ireland")
    assert ask("abstain", CORK, {**DELFT, "name": "Cork (US)"}) == [], "a name within a name leaves it open"
    assert not right("abstain", asked[0], [CORK], given={"entity": "Cork"})


def test_the_question_does_not_give_away_that_there_is_no_answer() -> None:
    assert KINDS["abstain"].forms is KINDS["not_recorded"].forms is KINDS["lookup"].forms
