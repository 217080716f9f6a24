"""Questions on several rows: reverse lookup, comparison, highest and lowest, counting and filtering."""

from __future__ import annotations

import pytest

from attar.pipeline.data.questions import Question
from tests.pipeline.data.questions.scenes import CORK, DELFT, FARO, HAARLEM, ask, right

ROWS = [CORK, DELFT, HAARLEM, FARO]
PEOPLE = {"Cork": 222333, "Haarlem": 162543, "Delft": 106086, "Faro": 67650}
NAMES = [str(row["name"]) for row in ROWS]


def asked(kind: str, column: str, **given: object) -> list[Question]:
    """Questions of a kind on one column that were given this, from many draws."""
    found = [question for seed in range(60) for question in ask(kind, *ROWS, seed=seed)]
    return [q for q in found if q.columns == (column,) and given.items() <= q.given.items()]


def test_a_value_that_two_rows_have_is_not_looked_up_backwards() -> None:
    found = asked("reverse_lookup", "land")
    assert found
    assert all({"Delft", "Haarlem"} - {NAMES[place] for place in q.rows} for q in found)
    assert {q.answer for q in asked("reverse_lookup", "people", value="67650")} == {"Faro"}


def test_of_two_rows_the_one_with_more_or_less_wins() -> None:
    for question in asked("comparison", "people"):
        pair = [NAMES[place] for place in question.rows]
        best = max if question.given["highest"] else min
        assert question.answer == best(pair, key=PEOPLE.__getitem__)
        assert ("higher" in question.text) == question.given["highest"]
        assert all(name in question.text for name in pair)
    assert all("later" in q.text for q in asked("comparison", "born", highest=True))
    assert not asked("comparison", "land")


def test_the_highest_and_the_first_few_are_in_order() -> None:
    for kind in ("extreme", "top_k"):
        for question in asked(kind, "people"):
            names = sorted((NAMES[place] for place in question.rows), key=PEOPLE.__getitem__)
            ordered = names[::-1] if question.given["highest"] else names
            assert question.answer == "; ".join(ordered[: question.given["number"]])
            assert len(names) > question.given["number"]
    assert not asked("extreme", "land"), "texts have no highest"


def test_ties_are_not_ranked() -> None:
    twin = {**CORK, "name": "Twin"}
    for kind in ("comparison", "extreme", "top_k"):
        assert all(q.columns != ("people",) for seed in range(20) for q in ask(kind, CORK, twin, seed=seed))


def test_counted_and_filtered_rows_meet_the_condition() -> None:
    for question in asked("filter", "people", relation="above"):
        names = [NAMES[place] for place in question.rows]
        found = [name for name in names if PEOPLE[name] > int(question.given["value"])]
        assert question.answer == ("; ".join(found) or "none")
    for question in asked("count", "land", relation="is", value="Netherlands"):
        shown = {NAMES[place] for place in question.rows}
        assert question.answer == str(len(shown & {"Delft", "Haarlem"}))
    assert {q.answer for q in asked("filter", "people")} & {"none"}
    assert any(q.given["relation"] in ("after", "before") for q in asked("filter", "born"))


def test_the_prompt_shows_the_column_that_is_asked_for_and_few_others() -> None:
    for kind in ("reverse_lookup", "comparison", "extreme", "top_k", "count", "filter"):
        for question in ask(kind, *ROWS, count=1):
            assert set(question.columns) <= set(question.shown)
            assert len(question.shown) <= 3
            assert 0 in question.rows


def test_as_many_rows_as_are_allowed_and_enough_of_them() -> None:
    sizes = {len(q.rows) for seed in range(30) for q in ask("count", *ROWS, seed=seed, most_rows=3)}
    assert sizes == {3}
    assert ask("count", CORK, DELFT) == []
    assert ask("comparison", CORK) == []


@pytest.mark.parametrize(
    ("kind", "wrong"), [("comparison", "Atlantis"), ("extreme", ""), ("top_k", "Cork; Cork"), ("count", "two")]
)
def test_an_answer_that_names_no_row_is_found_out(kind: str, wrong: str) -> None:
    question = ask(kind, *ROWS, count=1)[0]
    assert not right(kind, question, ROWS, answer=wrong)
