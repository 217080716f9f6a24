"""Claims for the Validator: one fact, as the record has it, with another value, or not in the record at all."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from attar.runtime.prompts import CHECKS

from ..schema import Column, TableSchema, written
from .forms.claim import CLAIM_FORMS
from .kind import Kind, Question, Row, Scene, label_of, name_of
from .values import other_values, same, unlike

__all__ = ["Claim"]

_SUPPORTED, _CONTRADICTED, _NOT_THERE = CHECKS


class Claim(Kind):
    """States one fact, to be checked against the record."""

    name = "claim"
    role = "validator"
    forms = CLAIM_FORMS

    def generate(self, scene: Scene, count: int | None, rng: random.Random) -> list[Question]:
        """Up to ``count`` claims on one record, each on another column, a third of each check.

        Where ``count`` is None: of every column one that is right, one that is wrong, and one about another row.
        """
        hidden = set(scene.hidden)
        claims: list[tuple[Column, str, str, str]] = []
        for column, value in self._facts(scene, rng):
            if count is not None and len(claims) == count:
                break
            checks: Sequence[str] = CHECKS if count is None else (rng.choice(CHECKS),)
            if column.name in scene.hidden:
                checks = (_NOT_THERE,)
            for check in checks:
                if column.name in scene.hidden or self._hides(check, count, scene, rng):
                    hidden.add(column.name)
                    claims.append((column, scene.entity, value, check))
                else:
                    claims += ((column, *claim, check) for claim in self._claims(scene, column, value, check, rng))
        shown = tuple(name for name in scene.names() if name not in hidden)
        questions = []
        for column, entity, value, check in claims:
            form, given = self.any_form(scene.split, rng), {"entity": entity, "value": value}
            text = self.write(form, column=column.label, **given)
            questions.append(Question(text, check, form, (column.name,), shown=shown, given=given))
        return questions

    def check(self, question: Question, schema: TableSchema, rows: Sequence[Row]) -> bool:
        """Whether the check is what follows from the record that the prompt shows."""
        (name,), (row,) = question.columns, rows
        entity, value = question.given["entity"], question.given["value"]
        recorded = written(row[name]) if name in question.shown else None
        if entity != name_of(schema, row):
            check = _NOT_THERE if unlike(entity, name_of(schema, row)) else None
        elif recorded is None:
            check = _NOT_THERE
        elif same(value, recorded):
            check = _SUPPORTED
        else:
            check = _CONTRADICTED if unlike(value, recorded) else None
        text = self.write(question.form, column=label_of(schema, name), entity=entity, value=value)
        return question.answer == check and question.text == text

    def _hides(self, check: str, count: int | None, scene: Scene, rng: random.Random) -> bool:
        """Whether a claim is about a column that the prompt leaves out; a scene that hides some has them already."""
        return check == _NOT_THERE and count is not None and not scene.hidden and rng.random() < 0.5

    def _facts(self, scene: Scene, rng: random.Random) -> list[tuple[Column, str]]:
        """What is recorded beside the name, in any order."""
        facts = scene.schema.facts_of(scene.row) if scene.entity else []
        facts = [(column, value) for column, value in facts if column.name not in scene.schema.entity]
        return rng.sample(facts, len(facts))

    def _claims(
        self, scene: Scene, column: Column, value: str, check: str, rng: random.Random
    ) -> Iterator[tuple[str, str]]:
        """Entity and value of a claim on a column that gets this check; none where there is nothing to claim."""
        others = [row for row in scene.rows[1:] if unlike(name_of(scene.schema, row), scene.entity)]
        if check == _SUPPORTED:
            yield scene.entity, value
        elif check == _CONTRADICTED:
            if values := other_values(column.name, value, scene.rows[1:]):
                yield scene.entity, rng.choice(values)
        elif others:
            row = rng.choice(others)
            yield name_of(scene.schema, row), written(row[column.name]) or value
