"""Lookup questions and their checker."""

from __future__ import annotations

import random
from dataclasses import replace

from attar.pipeline.data.questions import KINDS
from attar.pipeline.data.schema import Column, TableSchema

SCHEMA = TableSchema("city", ("name",), (Column("land", "country"), Column("people", "population"), Column("x", "x")))
ROW = {"name": "Cork", "land": "Ireland", "people": 222333, "x": None}
KIND = KINDS["lookup"]


def test_each_recorded_column_is_asked_for_once() -> None:
    questions = KIND.generate(SCHEMA, ROW, "test", None, random.Random(0))
    assert [(q.column, q.answer) for q in questions] == [("land", "Ireland"), ("people", "222333")]
    assert all("Cork" in q.text and q.form.startswith("lookup.test.") for q in questions)
    assert KIND.generate(SCHEMA, ROW | {"name": None}, "test", None, random.Random(0)) == []


def test_no_more_questions_than_asked_for() -> None:
    assert len(KIND.generate(SCHEMA, ROW, "train", 1, random.Random(0))) == 1


def test_an_answer_that_the_row_does_not_give_is_found_out() -> None:
    (question, *_) = KIND.generate(SCHEMA, ROW, "train", None, random.Random(0))
    assert KIND.check(question, SCHEMA, ROW)
    assert not KIND.check(replace(question, answer="Norway"), SCHEMA, ROW)
    assert not KIND.check(replace(question, column="name"), SCHEMA, ROW)


def test_train_and_test_share_no_form() -> None:
    assert len(set(KIND.forms["train"])) >= 10
    assert not set(KIND.forms["train"]) & set(KIND.forms["test"])
