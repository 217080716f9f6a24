"""Yes or no: whether a column has a value; the wrong ones come from the same column of other rows."""

from __future__ import annotations

import random
from collections.abc import Sequence

from ..schema import TableSchema, written
from .forms.yes_no import YES_NO_FORMS
from .kind import Kind, Question, Row, Scene, label_of, name_of
from .values import other_values, same

__all__ = ["YesNo"]


class YesNo(Kind):
    """Asks whether a value is the recorded one."""

    name = "yes_no"
    forms = YES_NO_FORMS

    def generate(self, scene: Scene, count: int | None, rng: random.Random) -> list[Question]:
        """Up to ``count`` questions on one row, each on another column, half of them with a wrong value."""
        facts = scene.facts if scene.entity else []
        questions: list[Question] = []
        for column, value in rng.sample(facts, len(facts)):
            if count is not None and len(questions) == count:
                break
            others = other_values(column.name, value, scene.rows[1:])
            if not others:
                continue  # without a wrong value to ask for, yes would be too common
            asked = rng.choice(others) if rng.random() < 0.5 else value
            form = self.any_form(scene.split, rng)
            text = self.write(form, column=column.label, entity=scene.entity, value=asked)
            answer, given = "yes" if asked is value else "no", {"value": asked}
            questions.append(Question(text, answer, form, (column.name,), shown=scene.names(), given=given))
        return questions

    def check(self, question: Question, schema: TableSchema, rows: Sequence[Row]) -> bool:
        """Whether the answer is yes where the row has the value, and no where it has another."""
        (name,), (row,), asked = question.columns, rows, question.given["value"]
        recorded = written(row[name])
        entity, label = name_of(schema, row), label_of(schema, name)
        return (
            recorded is not None
            and name in question.shown
            and question.answer == ("yes" if same(asked, recorded) else "no")
            and question.text == self.write(question.form, column=label, entity=entity, value=asked)
        )
