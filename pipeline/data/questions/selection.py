"""Count and filter: how many of a few rows meet a condition, and which.

Hands on two kinds, :class:`Count` and :class:`Filter`.
"""

from __future__ import annotations

import random
from abc import abstractmethod
from collections.abc import Sequence

from ..schema import TableSchema
from .conditions import any_condition, can_be_met, condition_of
from .forms.selection import COUNT_FORMS, FILTER_FORMS
from .kind import Kind, Question, Row, Scene, listed, name_of
from .several import gather

__all__ = ["NONE", "Count", "Filter"]

NONE = "none"
"""The answer where no row meets the condition."""


class _Selection(Kind):
    """Asks about the rows that meet a condition."""

    def generate(self, scene: Scene, count: int | None, rng: random.Random) -> list[Question]:
        """Up to ``count`` questions on the same rows, each on another column."""
        found = gather(scene, rng, count, can_be_met)
        if found is None:
            return []
        questions = []
        for column in found.columns:
            form = self.any_form(scene.split, rng)
            condition, met = any_condition(column, scene, found, rng)
            text = self.write(form, label=scene.schema.label, condition=condition.words)
            answer = self._answer([name for name, meets in zip(found.names, met, strict=True) if meets])
            columns = (column.name,)
            questions.append(Question(text, answer, form, columns, found.places, found.shown, condition.given))
        return questions

    def check(self, question: Question, schema: TableSchema, rows: Sequence[Row]) -> bool:
        """Whether the answer is that of the rows that meet the condition by what is written."""
        (name,) = question.columns
        condition = condition_of(name, schema, question.given)
        answer = self._answer([name_of(schema, row) for row in rows if condition.met_as_written(row)])
        text = self.write(question.form, label=schema.label, condition=condition.words)
        return name in question.shown and question.answer == answer and question.text == text

    @abstractmethod
    def _answer(self, names: Sequence[str]) -> str:
        """What is answered where these rows meet the condition."""


class Count(_Selection):
    """Asks how many rows meet a condition."""

    name = "count"
    forms = COUNT_FORMS

    def _answer(self, names: Sequence[str]) -> str:
        return str(len(names))


class Filter(_Selection):
    """Asks which rows meet a condition."""

    name = "filter"
    forms = FILTER_FORMS

    def _answer(self, names: Sequence[str]) -> str:
        return listed(names) or NONE
