"""Date arithmetic, against Python's own."""

from __future__ import annotations

import datetime
import random

from hypothesis import given
from hypothesis import strategies as st

from attar.pipeline.data.questions import KINDS
from attar.pipeline.data.questions.dates import _julian
from tests.pipeline.data.questions.scenes import CORK, DELFT, HAARLEM, ask, right


@given(st.dates())
def test_the_julian_day_number_counts_days(day: datetime.date) -> None:
    assert _julian(day.year, day.month, day.day) - day.toordinal() == 1721425


def test_a_day_or_year_so_much_later_or_earlier() -> None:
    found = [question for seed in range(40) for question in ask("date_shift", DELFT, seed=seed)]
    assert {question.columns for question in found} == {("born",), ("opened",)}
    for question in found:
        step = question.given["number"] * (1 if question.given["after"] else -1)
        if question.columns == ("opened",):
            assert question.answer == str(1847 + step)
            assert "year" in question.text
        else:
            assert question.answer == (datetime.date(1246, 2, 20) + datetime.timedelta(step)).isoformat()
        assert (" after " in question.text) == question.given["after"]
    assert not right("date_shift", found[0], [DELFT], answer="1246-02-20")


def test_days_between_near_dates_and_years_between_far_ones() -> None:
    found = {q.columns: q for q in ask("date_difference", DELFT, HAARLEM)}
    assert (found["born",].answer, found["born",].given["units"]) == ("9", "days")
    assert (found["opened",].answer, found["opened",].given["units"]) == ("8", "years")
    far = {q.columns: q for q in ask("date_difference", DELFT, CORK)}
    assert (far["born",].answer, far["born",].given["units"]) == ("640", "calendar years")


def test_a_number_is_a_year_only_where_its_column_says_so() -> None:
    questions = ask("date_shift", {**CORK, "people": 1845})
    assert ("people",) not in [question.columns for question in questions]
    assert KINDS["date_shift"].generate is not None


def test_the_last_day_of_the_calendar_is_no_place_to_go_on_from() -> None:
    edge = {**CORK, "born": datetime.date.max}
    rng = random.Random(0)
    assert all(q.columns != ("born",) for _ in range(10) for q in ask("date_shift", edge, seed=rng.randrange(99)))
