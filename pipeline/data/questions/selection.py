"""Count and filter: how many of a few rows meet a condition, and which.

Hands on two kinds, :class:`Count` and :class:`Filter`.
"""

from __future__ import annotations

import random
from abc import abstractmethod
from collections.abc import Mapping, Sequence

from ..schema import TableSchema
from .conditions import any_condition, can_be_met, condition_of
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
    forms: Mapping[str, Sequence[str]] = {
        "train": (
            "How many of these records have {condition}?",
            "How many have {condition}?",
            "Count the records with {condition}.",
            "What is the number of records with {condition}?",
            "With {condition}, how many are there?",
            "How many times do you find {condition}?",
            "Give the count of those with {condition}.",
            "In how many of the records is it {condition}?",
        ),
        "test": (
            "Tell me how many of them show {condition}.",
            "How large is the number of those that have {condition}?",
            "Of these records, how many come with {condition}?",
            "Number of records that have {condition}?",
        ),
    }

    def _answer(self, names: Sequence[str]) -> str:
        return str(len(names))


class Filter(_Selection):
    """Asks which rows meet a condition."""

    name = "filter"
    forms: Mapping[str, Sequence[str]] = {
        "train": (
            "Which of these records have {condition}?",
            "Which have {condition}?",
            "List those with {condition}.",
            "Name every {label} with {condition}.",
            "Find all records that have {condition}.",
            "Keep only those with {condition}: which are they?",
            "Which ones are left if you ask for {condition}?",
            "Give the names of those with {condition}.",
        ),
        "test": (
            "Tell me which of them show {condition}.",
            "Every {label} that has {condition}, please.",
            "Which of the records come with {condition}?",
            "Pick out whatever has {condition}.",
        ),
    }

    def _answer(self, names: Sequence[str]) -> str:
        return listed(names) or NONE
