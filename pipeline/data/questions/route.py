"""Routing: which agent a query is for."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from itertools import accumulate

from attar.runtime.prompts import ROUTES

from ..schema import TableSchema, written
from .forms.route import QUERIES
from .kind import Kind, Question, Row, Scene, label_of, name_of

__all__ = ["Route"]


class Route(Kind):
    """Asks whom a query is for."""

    name = "route"
    role = "router"
    forms: Mapping[str, Sequence[str]] = {
        split: tuple(form for forms in by_route.values() for form in forms) for split, by_route in QUERIES.items()
    }
    shows_records = False

    def generate(self, scene: Scene, count: int | None, rng: random.Random) -> list[Question]:
        """Up to ``count`` queries that name one row, the agents in turn; one for each column where it is None."""
        facts = scene.schema.facts_of(scene.row) if scene.entity else []
        chosen = rng.sample(facts, len(facts) if count is None else min(count, len(facts)))
        first = rng.randrange(len(ROUTES))
        questions = []
        for number, (column, value) in enumerate(chosen, start=first):
            route = ROUTES[number % len(ROUTES)]
            form, given = self._form_for(route, scene.split, rng), {"value": value}
            slots = {"label": scene.schema.label, "column": column.label, "entity": scene.entity, **given}
            questions.append(Question(self.write(form, **slots), route, form, (column.name,), given=given))
        return questions

    def check(self, question: Question, schema: TableSchema, rows: Sequence[Row]) -> bool:
        """Whether the query, among all forms of all agents, is one of the agent that is named, and of no other."""
        (name,), (row,), value = question.columns, rows, question.given["value"]
        slots = {"label": schema.label, "column": label_of(schema, name), "entity": name_of(schema, row)}
        agents = {
            route
            for split, by_route in QUERIES.items()
            for route in by_route
            for form in self._forms_for(route, split)
            if self.write(form, value=value, **slots) == question.text
        }
        return agents == {question.answer} and value == written(row[name])

    def _form_for(self, route: str, split: str, rng: random.Random) -> str:
        return rng.choice(self._forms_for(route, split))

    def _forms_for(self, route: str, split: str) -> list[str]:
        """Names of the forms of one agent."""
        by_route = QUERIES[split]
        ends = dict(zip(by_route, accumulate(map(len, by_route.values())), strict=True))
        return [f"{self.name}.{split}.{number}" for number in range(ends[route] - len(by_route[route]), ends[route])]
