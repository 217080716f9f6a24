"""Summaries: what they keep, that they add nothing, and how texts are laid out."""

from __future__ import annotations

import json

import pytest

from attar.pipeline.data.questions import KINDS, Question
from tests.pipeline.data.questions.scenes import CORK, DELFT, FARO, HAARLEM, SCHEMA, ask, right


def test_a_record_is_summed_up_by_its_first_facts_in_order() -> None:
    (question,) = ask("summary", CORK)
    assert question.answer == (
        "The city Cork has the country Ireland, the population 222333 and the date of founding 0606-01-01. "
        "Its year of opening is 1845."
    )
    assert ask("summary", {"name": "Cork", "land": None, "people": None, "born": None, "opened": None, "x": None}) == []


@pytest.mark.parametrize(
    ("old", "new"), [("222333", "222334"), (" and the", ","), ("Ireland", "Ireland, a green island"), ("Cork", "Delft")]
)
def test_a_summary_that_changes_drops_or_adds_anything_is_found_out(old: str, new: str) -> None:
    (question,) = ask("summary", CORK)
    assert not right("summary", question, [CORK], answer=question.answer.replace(old, new))


def test_several_records_are_named_and_compared() -> None:
    rows = [CORK, DELFT, HAARLEM, FARO]
    answers = {q.shown[:2]: q for seed in range(60) for q in ask("multi_summary", *rows, seed=seed, count=1)}
    question = answers["land", "people"]
    names = [str(rows[place]["name"]) for place in question.rows]
    assert question.answer.startswith(f"{len(names)} records of the kind city: {'; '.join(names)}. The country is ")
    assert "; the population goes from " in question.answer
    assert not right("multi_summary", question, rows, answer=question.answer.replace("goes from", "goes up from"))


def test_what_is_alike_is_said_once() -> None:
    alike = {**DELFT, "people": 162543}
    found = [q for seed in range(60) for q in ask("multi_summary", alike, HAARLEM, seed=seed, count=1)]
    said = {q.answer for q in found if "people" in q.columns and "land" in q.columns}
    assert any("he country is Netherlands for all" in answer for answer in said)
    assert all("he population is 162543 for all" in answer for answer in said)


def test_each_layout_holds_every_fact_and_two_records_have_an_empty_line_between_them() -> None:
    kind = KINDS["multi_summary"]
    question = ask("multi_summary", CORK, FARO)[0]
    for split, layouts in kind.forms.items():
        for number in range(len(layouts)):
            form = f"multi_summary.{split}.{number}"
            text = kind.record(type(question)("", "", form, shown=("land", "people")), SCHEMA, [CORK, FARO])
            told = ("city", "Cork", "Ireland", "222333", "Faro", "Portugal", "67650", "country")
            assert all(value in text for value in told)
            assert "\n\n" in text
    assert kind.record(type(question)("", "", "summary.train.0", shown=("land",)), SCHEMA, [CORK]) == (
        "city:Cork\ncountry:Ireland"
    )
    assert kind.record(type(question)("", "", "summary.train.5", shown=("land", "people")), SCHEMA, [CORK]) == (
        "The country of the city Cork is Ireland. The population of the city Cork is 222333."
    )


def test_layouts_of_data_are_what_their_readers_read() -> None:
    kind, row = KINDS["summary"], {**CORK, "land": 'the "Emerald Isle"'}
    asked = [
        Question("", "", f"summary.train.{number}", shown=("land", "people"))
        for number in range(len(kind.forms["train"]))
    ]
    texts = [kind.record(question, SCHEMA, [row]) for question in asked]
    facts = {"city": "Cork", "country": 'the "Emerald Isle"', "population": "222333"}
    assert facts in [json.loads(text) for text in texts if text.startswith("{")]
    tables = [[line.split("\t") for line in text.splitlines()] for text in texts]
    assert [[*facts], [*facts.values()]] in tables
