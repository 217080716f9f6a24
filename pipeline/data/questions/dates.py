"""Date arithmetic: a day or year so much later, and how far two of them are apart.

Dates are reckoned in days, or in calendar years where they are far apart; a whole number in a column that calls
itself a year is one. Hands on two kinds, :class:`DateShift` and :class:`DateDifference`.
"""

from __future__ import annotations

import datetime
import random
import re
from collections.abc import Mapping, Sequence

from ..schema import Column, TableSchema, written
from .forms.dates import DATE_DIFFERENCE_FORMS, DATE_SHIFT_FORMS
from .kind import Kind, Question, Row, Scene, label_of, name_of
from .several import gather

__all__ = ["DateDifference", "DateShift"]

_YEARS = range(1000, 2200)
_MOST_DAYS = 30
_MOST_YEARS = 60
_SAFE = range(100, 9900)
"""Years of dates from which no shift leaves the calendar."""
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)")


class DateShift(Kind):
    """Asks for the day, or the year, so many days or years before or after the recorded one."""

    name = "date_shift"
    forms = DATE_SHIFT_FORMS

    def generate(self, scene: Scene, count: int | None, rng: random.Random) -> list[Question]:
        """Up to ``count`` questions on one row, each on another column."""
        facts = scene.facts if scene.entity else []
        columns = [column for column, _ in facts if _unit(column.label, scene.row[column.name])]
        questions = []
        for column in rng.sample(columns, len(columns) if count is None else min(count, len(columns))):
            value, after = scene.row[column.name], rng.random() < 0.5
            number = rng.randint(2, _MOST_YEARS if isinstance(value, int) else _MOST_DAYS)
            step = number if after else -number
            answer = value + (step if isinstance(value, int) else datetime.timedelta(step))  # type: ignore[operator]
            form, given = self.any_form(scene.split, rng), {"number": number, "after": after}
            text = self._text(form, scene.schema, column.name, scene.row, given)
            columns_asked = (column.name,)
            questions.append(
                Question(text, str(written(answer)), form, columns_asked, shown=scene.names(), given=given)
            )
        return questions

    def check(self, question: Question, schema: TableSchema, rows: Sequence[Row]) -> bool:
        """Whether the answer, counted by the calendar's rule from the written dates, is that far from the record."""
        (name,), (row,), given = question.columns, rows, question.given
        recorded = written(row[name]) or ""
        step = given["number"] if given["after"] else -given["number"]
        apart = _days_apart(recorded, question.answer)
        if apart is None and recorded.isdecimal() and question.answer.isdecimal():
            apart = int(question.answer) - int(recorded)
        return (
            apart == step
            and name in question.shown
            and question.text == self._text(question.form, schema, name, row, given)
        )

    def _text(self, form: str, schema: TableSchema, name: str, row: Row, given: Mapping[str, object]) -> str:
        label = label_of(schema, name) or ""
        direction = "after" if given["after"] else "before"
        entity, unit = name_of(schema, row), _unit(label, row[name])
        return self.write(form, unit=unit, number=given["number"], direction=direction, column=label, entity=entity)


class DateDifference(Kind):
    """Asks how many days or years lie between the dates of two rows."""

    name = "date_difference"
    forms = DATE_DIFFERENCE_FORMS

    def generate(self, scene: Scene, count: int | None, rng: random.Random) -> list[Question]:
        """Up to ``count`` questions on the same two rows, each on another column."""
        found = gather(scene, rng, count, _both_dated, least=2, most=2)
        if found is None:
            return []
        questions = []
        for column in found.columns:
            one, other = (row[column.name] for row in found.rows)
            if isinstance(one, int) and isinstance(other, int):
                units, apart = "years", abs(one - other)
            else:
                units, apart = "days", abs((one - other).days)  # type: ignore[operator]
                if apart > _MOST_DAYS:
                    units, apart = "calendar years", abs(one.year - other.year)  # type: ignore[attr-defined]
            form, turned = self.any_form(scene.split, rng), rng.random() < 0.5
            named = found.names[::-1] if turned else found.names
            given = {"units": units, "one": named[0], "other": named[1]}
            text = self.write(form, column=column.label, **given)
            questions.append(Question(text, str(apart), form, (column.name,), found.places, found.shown, given))
        return questions

    def check(self, question: Question, schema: TableSchema, rows: Sequence[Row]) -> bool:
        """Whether the answer is what the written dates are apart, by the calendar's rule."""
        (name,), given = question.columns, dict(question.given)
        one, other = (written(row[name]) or "" for row in rows)
        apart: int | None = _days_apart(one, other)
        if given["units"] != "days":
            apart = int(one[:4]) - int(other[:4])
        named = {given["one"], given["other"]} == {name_of(schema, row) for row in rows}
        text = self.write(question.form, column=label_of(schema, name), **given)
        return apart is not None and question.answer == str(abs(apart)) and named and question.text == text


def _unit(label: str, value: object) -> str | None:
    """What a value counts in: "day" for dates, "year" for years; None for all else."""
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return "day" if value.year in _SAFE else None
    if isinstance(value, int) and value in _YEARS and "year" in label.casefold().split():
        return "year"
    return None


def _both_dated(column: Column, rows: Sequence[Row]) -> bool:
    units = [_unit(column.label, row[column.name]) for row in rows]
    return units[0] is not None and units[0] == units[1]


def _days_apart(one: str, other: str) -> int | None:
    """Days from one written date to another, by the Julian day number; None where one is no date."""
    first, second = _DATE.fullmatch(one), _DATE.fullmatch(other)
    if first is None or second is None:
        return None
    return _julian(*map(int, second.groups())) - _julian(*map(int, first.groups()))


def _julian(year: int, month: int, day: int) -> int:
    """The Julian day number of a Gregorian date (Explanatory Supplement to the Astronomical Almanac, 12.92)."""
    before_march = (14 - month) // 12
    years, months = year + 4800 - before_march, month + 12 * before_march - 3
    return day + (153 * months + 2) // 5 + 365 * years + years // 4 - years // 100 + years // 400 - 32045
