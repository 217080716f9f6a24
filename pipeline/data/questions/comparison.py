"""Comparison: which of two rows has the larger number or the later date."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from ..schema import TableSchema, written
from .forms.comparison import COMPARISON_FORMS
from .kind import Kind, Question, Row, Scene, label_of, name_of
from .several import gather
from .values import MORE, in_order, is_date, ranked, written_rank

__all__ = ["Comparison"]


class Comparison(Kind):
    """Asks which of two rows has more, or less."""

    name = "comparison"
    forms = COMPARISON_FORMS

    def generate(self, scene: Scene, count: int | None, rng: random.Random) -> list[Question]:
        """Up to ``count`` questions on the same two rows, each on another column."""
        found = gather(scene, rng, count, ranked, least=2, most=2)
        if found is None:
            return []
        questions = []
        for column in found.columns:
            form, highest, turned = self.any_form(scene.split, rng), rng.random() < 0.5, rng.random() < 0.5
            by_rank = in_order(found.rows, column.name, highest)
            named = found.names[::-1] if turned else found.names
            given = {"one": named[0], "other": named[1], "highest": highest}
            text = self._text(form, scene.schema, column.label, is_date(scene.row[column.name]), given)
            answer = name_of(scene.schema, by_rank[0])
            questions.append(Question(text, answer, form, (column.name,), found.places, found.shown, given))
        return questions

    def check(self, question: Question, schema: TableSchema, rows: Sequence[Row]) -> bool:
        """Whether the answer is the row that wins by what is written, and the two are the rows that are named."""
        (name,), given = question.columns, question.given
        ranks = {name_of(schema, row): written_rank(written(row[name]) or "") for row in rows}
        answer, loser = ranks.pop(question.answer, None), next(iter(ranks.values()), None)
        if answer is None or loser is None or type(answer) is not type(loser):
            return False
        wins = answer > loser if given["highest"] else answer < loser  # type: ignore[operator]
        text = self._text(question.form, schema, label_of(schema, name) or "", is_date(rows[0][name]), given)
        named = {given["one"], given["other"]} == {name_of(schema, row) for row in rows}
        return wins and named and question.text == text

    def _text(self, form: str, schema: TableSchema, column: str, date: bool, given: Mapping[str, object]) -> str:
        more = MORE[date][0 if given["highest"] else 1]
        return self.write(form, label=schema.label, column=column, more=more, one=given["one"], other=given["other"])
