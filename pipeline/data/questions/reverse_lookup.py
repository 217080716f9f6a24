"""Reverse lookup: which of a few rows has a value; asked only where one alone has it."""

from __future__ import annotations

import random
from collections.abc import Sequence

from ..schema import Column, TableSchema, written
from .forms.reverse_lookup import REVERSE_LOOKUP_FORMS
from .kind import Kind, Question, Row, Scene, label_of, name_of
from .several import gather
from .values import differ, same

__all__ = ["ReverseLookup"]


class ReverseLookup(Kind):
    """Asks which row has a value that no other shown row has."""

    name = "reverse_lookup"
    forms = REVERSE_LOOKUP_FORMS

    def generate(self, scene: Scene, count: int | None, rng: random.Random) -> list[Question]:
        """Up to ``count`` questions on the same rows, each on another column."""
        found = gather(scene, rng, count, _tells_apart)
        if found is None:
            return []
        questions = []
        for column in found.columns:
            form, place = self.any_form(scene.split, rng), rng.randrange(len(found.rows))
            value = written(found.rows[place][column.name])
            text = self.write(form, label=scene.schema.label, column=column.label, value=value)
            answer, given = found.names[place], {"value": value}
            questions.append(Question(text, answer, form, (column.name,), found.places, found.shown, given))
        return questions

    def check(self, question: Question, schema: TableSchema, rows: Sequence[Row]) -> bool:
        """Whether one of the rows alone has the value, and is the answer."""
        (name,), value = question.columns, question.given["value"]
        having = [row for row in rows if same(written(row[name]) or "", value)]
        text = self.write(question.form, label=schema.label, column=label_of(schema, name), value=value)
        return [name_of(schema, row) for row in having] == [question.answer] and question.text == text


def _tells_apart(column: Column, rows: Sequence[Row]) -> bool:
    return differ([written(row[column.name]) for row in rows])
