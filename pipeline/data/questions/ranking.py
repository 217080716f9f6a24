"""Highest and lowest: which of a few rows leads in a number or a date, and which lead, in order.

Hands on two kinds, :class:`Extreme` and :class:`TopK`.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise

from ..schema import TableSchema, written
from .forms.ranking import EXTREME_FORMS, TOP_K_FORMS
from .kind import Kind, Question, Row, Scene, label_of, listed, name_of
from .several import gather
from .values import MOST, in_order, is_date, ranked, written_rank

__all__ = ["Extreme", "TopK"]


class _Ranking(Kind):
    """Asks for the first of a few rows in the order of a column."""

    def generate(self, scene: Scene, count: int | None, rng: random.Random) -> list[Question]:
        """Up to ``count`` questions on the same rows, each on another column."""
        found = gather(scene, rng, count, ranked)
        if found is None:
            return []
        questions = []
        for column in found.columns:
            form, highest = self.any_form(scene.split, rng), rng.random() < 0.5
            number = self._how_many(len(found.rows), rng)
            by_rank = in_order(found.rows, column.name, highest)
            answer = listed(name_of(scene.schema, row) for row in by_rank[:number])
            text = self._text(form, scene.schema, column.label, found.rows, column.name, highest, number)
            given = {"highest": highest, "number": number}
            questions.append(Question(text, answer, form, (column.name,), found.places, found.shown, given))
        return questions

    def check(self, question: Question, schema: TableSchema, rows: Sequence[Row]) -> bool:
        """Whether each row that is named has more, by what is written, than the next, and than all that are not."""
        (name,), highest, number = question.columns, question.given["highest"], question.given["number"]
        ranks = {name_of(schema, row): written_rank(written(row[name]) or "") for row in rows}
        named = question.answer.split("; ")
        if None in ranks.values() or not len(named) == len(set(named)) == number or not set(named) <= ranks.keys():
            return False
        order = [ranks.pop(entity) for entity in named]
        steps = [*pairwise(order), *((order[-1], left) for left in ranks.values())]
        text = self._text(question.form, schema, label_of(schema, name) or "", rows, name, highest, number)
        ordered = all(one > two if highest else one < two for one, two in steps)  # type: ignore[operator]
        return ordered and question.text == text

    def _how_many(self, rows: int, rng: random.Random) -> int:
        return 1

    def _text(
        self, form: str, schema: TableSchema, label: str, rows: Sequence[Row], column: str, highest: bool, number: int
    ) -> str:
        most = MOST[is_date(rows[0][column])][0 if highest else 1]
        return self.write(form, label=schema.label, column=label, most=most, number=number)


class Extreme(_Ranking):
    """Asks for the row with the highest or lowest value."""

    name = "extreme"
    forms = EXTREME_FORMS


class TopK(_Ranking):
    """Asks for the first few rows, in order."""

    name = "top_k"
    forms = TOP_K_FORMS

    def _how_many(self, rows: int, rng: random.Random) -> int:
        return rng.randint(2, rows - 1)
