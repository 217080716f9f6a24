"""Routing: which agent a query is for."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from itertools import accumulate

from attar.runtime.prompts import ROUTES

from ..schema import TableSchema, written
from .kind import Kind, Question, Row, Scene, label_of, name_of

__all__ = ["Route"]

_QUERIES: Mapping[str, Mapping[str, Sequence[str]]] = {
    "train": {
        "qa": (
            "What is the {column} of {entity}?",
            "Which {column} does {entity} have?",
            "{entity}'s {column}?",
            "Give me the {column} for {entity}.",
            "Is the {column} of {entity} higher than that of others?",
            "I need to know the {column} of {entity}.",
            "Which {label} has the {column} {value}?",
            "How many have {value} as {column}?",
        ),
        "summarizer": (
            "Summarize {entity}.",
            "Give me a short summary of {entity}.",
            "Tell me everything about {entity}.",
            "Describe {entity} in a few words.",
            "What do you know about {entity}?",
            "Sum up the record of {entity}.",
            "Write an overview of the {label} {entity}.",
            "In short, what is there to say about {entity}?",
        ),
        "validator": (
            "Is it true that the {column} of {entity} is {value}?",
            "Check this: {entity} has the {column} {value}.",
            "Verify that {value} is the {column} of {entity}.",
            "True or false: the {column} of {entity} is {value}.",
            "The {column} of {entity} is {value}. Is that right?",
            "Claim: {entity}'s {column} is {value}.",
            "Can you confirm that {entity} has {value} as its {column}?",
            "Somebody says the {column} of {entity} is {value}; are they right?",
        ),
    },
    "test": {
        "qa": (
            "Could you tell me what the {column} of {entity} is?",
            "Name {entity}'s {column}.",
            "Under {column}, what stands for {entity}?",
            "Whose {column} is {value}?",
        ),
        "summarizer": (
            "Please give an overview of {entity}.",
            "What is known about {entity}?",
            "Tell me something about {entity}.",
            "Put {entity} in a nutshell.",
        ),
        "validator": (
            "Is it correct that {entity} has the {column} {value}?",
            "Validate the statement: the {column} of {entity} is {value}.",
            "{value} is the {column} of {entity}, true or false?",
            "I was told that the {column} of {entity} is {value}. Was I told the truth?",
        ),
    },
}


class Route(Kind):
    """Asks whom a query is for."""

    name = "route"
    role = "router"
    forms: Mapping[str, Sequence[str]] = {
        split: tuple(form for forms in by_route.values() for form in forms) for split, by_route in _QUERIES.items()
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
            for split, by_route in _QUERIES.items()
            for route in by_route
            for form in self._forms_for(route, split)
            if self.write(form, value=value, **slots) == question.text
        }
        return agents == {question.answer} and value == written(row[name])

    def _form_for(self, route: str, split: str, rng: random.Random) -> str:
        return rng.choice(self._forms_for(route, split))

    def _forms_for(self, route: str, split: str) -> list[str]:
        """Names of the forms of one agent."""
        by_route = _QUERIES[split]
        ends = dict(zip(by_route, accumulate(map(len, by_route.values())), strict=True))
        return [f"{self.name}.{split}.{number}" for number in range(ends[route] - len(by_route[route]), ends[route])]
