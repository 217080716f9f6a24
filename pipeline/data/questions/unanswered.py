"""What the records do not say: a value that is not recorded, and a question about something else.

Both are asked in the forms of a lookup, so that only the record tells which is which. Hands on two kinds,
:class:`NotRecorded` and :class:`Abstain`.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from attar.runtime.prompts import NO_VALUE, NOT_FOUND

from ..schema import TableSchema, written
from .kind import Kind, Question, Row, Scene, label_of, name_of
from .lookup import LOOKUP_FORMS
from .values import unlike

__all__ = ["Abstain", "NotRecorded"]


class NotRecorded(Kind):
    """Asks for a column that the record has not: an empty one, or one that the prompt leaves out."""

    name = "not_recorded"
    forms = LOOKUP_FORMS

    def generate(self, scene: Scene, count: int | None, rng: random.Random) -> list[Question]:
        """Up to ``count`` questions on one row, each on another column; at least one column stays."""
        columns = [column for column in scene.schema.columns if column.name not in scene.schema.entity]
        if scene.hidden:
            columns = [column for column in columns if column.name not in scene.names()]
        most = max(1, len(columns) - (not scene.hidden))
        asked = rng.sample(columns, min(most if count is None else count, most, len(columns))) if scene.entity else []
        absent = {column.name for column in asked}
        shown = tuple(name for name in scene.names() if name not in absent)
        questions = []
        for column in asked:
            form = self.any_form(scene.split, rng)
            text = self.write(form, column=column.label, entity=scene.entity)
            questions.append(Question(text, NO_VALUE, form, (column.name,), shown=shown))
        return questions

    def check(self, question: Question, schema: TableSchema, rows: Sequence[Row]) -> bool:
        """Whether the record that the prompt shows is without the column."""
        (name,), (row,) = question.columns, rows
        there = name in question.shown and written(row[name]) is not None
        text = self.write(question.form, column=label_of(schema, name), entity=name_of(schema, row))
        return not there and question.answer == NO_VALUE and question.text == text


class Abstain(Kind):
    """Asks about something whose record is not in the prompt."""

    name = "abstain"
    forms = LOOKUP_FORMS

    def generate(self, scene: Scene, count: int | None, rng: random.Random) -> list[Question]:
        """Up to ``count`` questions beside one record, each about another row."""
        names = [name_of(scene.schema, row) for row in scene.rows[1:]] if scene.entity else []
        absent = [name for name in names if unlike(name, scene.entity)]
        questions = []
        for entity in rng.sample(absent, len(absent) if count is None else min(count, len(absent))):
            column, form = rng.choice(scene.schema.columns), self.any_form(scene.split, rng)
            text = self.write(form, column=column.label, entity=entity)
            given = {"entity": entity}
            questions.append(Question(text, NOT_FOUND, form, (column.name,), shown=scene.names(), given=given))
        return questions

    def check(self, question: Question, schema: TableSchema, rows: Sequence[Row]) -> bool:
        """Whether no shown record is that of the entity."""
        (name,), entity = question.columns, question.given["entity"]
        absent = all(unlike(entity, name_of(schema, row)) for row in rows)
        text = self.write(question.form, column=label_of(schema, name), entity=entity)
        return absent and question.answer == NOT_FOUND and question.text == text
