"""Lookup questions and their checker."""

from __future__ import annotations

from attar.pipeline.data.questions import KINDS
from tests.pipeline.data.questions.scenes import CORK, ask, right

KIND = KINDS["lookup"]


def test_each_recorded_column_is_asked_for_once() -> None:
    questions = ask("lookup", CORK)
    assert [(q.columns, q.answer) for q in questions][:2] == [(("land",), "Ireland"), (("people",), "222333")]
    assert all("Cork" in q.text and q.form.startswith("lookup.test.") for q in questions)
    assert ("x",) not in [q.columns for q in questions]
    assert ask("lookup", {**CORK, "name": None}) == []


def test_no_more_questions_than_asked_for() -> None:
    assert len(ask("lookup", CORK, count=1, split="train")) == 1


def test_an_answer_that_the_row_does_not_give_is_found_out() -> None:
    question = ask("lookup", CORK)[0]
    assert not right("lookup", question, [CORK], answer="Norway")
    assert not right("lookup", question, [CORK], columns=("name",))
    assert not right("lookup", question, [CORK], text="What is the population of Cork?")
    assert not right("lookup", question, [CORK], shown=("people",))


def test_train_and_test_share_no_form() -> None:
    assert len(set(KIND.forms["train"])) >= 10
    assert not set(KIND.forms["train"]) & set(KIND.forms["test"])
