"""Lookup: one column of one entity, answered by the value as it stands in the record.

The test split is asked in forms that training has not, so that a score on it measures reading,
not the memory of a form.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from ..schema import TableSchema, written
from .kind import Kind, Question, Row, Scene, label_of, name_of

__all__ = ["LOOKUP_FORMS", "Lookup"]

_TRAIN_FORMS = (
    # the column first, then the entity
    "What is the {column} of {entity}?",
    "What's the {column} of {entity}?",
    "Tell me the {column} of {entity}.",
    "Give the {column} for {entity}.",
    "I need the {column} of {entity}.",
    "Look up the {column} of {entity}.",
    "Do you know the {column} of {entity}?",
    "According to the record, what is the {column} of {entity}?",
    "Find the {column} that belongs to {entity}.",
    "What does the record say about the {column} of {entity}?",
    "{column} of {entity}, please.",
    "{column}: what does {entity} have?",
    "Regarding {column}, which value belongs to {entity}?",
    "In the field {column}, what stands for {entity}?",
    "The {column} is what for {entity}?",
    "Show me which {column} goes with {entity}.",
    "As for the {column}, what does the record show for {entity}?",
    "Read out the {column} listed with {entity}.",
    # the entity first, then the column
    "Which {column} does {entity} have?",
    "{entity}: what is the {column}?",
    "For {entity}, what is the {column}?",
    "Please state {entity}'s {column}.",
    "{entity}'s {column}?",
    "What value does {entity} have as its {column}?",
    "About {entity}: give me the {column}.",
    "{entity} has which {column}?",
    "Take {entity}. Its {column}?",
    "Looking at {entity}, which {column} do you see?",
    "When it comes to {entity}, what is its {column}?",
    "{entity} - {column}?",
)
_TEST_FORMS = (
    "Could you tell me what the {column} of {entity} is?",
    "What {column} is recorded for {entity}?",
    "Name the {column} of {entity}.",
    "I'd like to know {entity}'s {column}.",
    "Under {column}, what is entered for {entity}?",
    "How does the record give the {column} of {entity}?",
)
LOOKUP_FORMS: Mapping[str, Sequence[str]] = {"train": _TRAIN_FORMS, "test": _TEST_FORMS}
"""Ways to ask for one column; those of every kind whose question must not give away that it is of that kind."""


class Lookup(Kind):
    """Asks for the value of one column."""

    name = "lookup"
    forms = LOOKUP_FORMS

    def generate(self, scene: Scene, count: int | None, rng: random.Random) -> list[Question]:
        """Up to ``count`` questions on one row, each on another column; all columns where it is None."""
        facts = scene.facts if scene.entity else []
        if count is not None and count < len(facts):
            facts = rng.sample(facts, count)
        questions = []
        for column, value in facts:
            form = self.any_form(scene.split, rng)
            text = self.write(form, column=column.label, entity=scene.entity)
            questions.append(Question(text, value, form, (column.name,), shown=scene.names()))
        return questions

    def check(self, question: Question, schema: TableSchema, rows: Sequence[Row]) -> bool:
        """Whether the answer is what the row says, in a column that the prompt shows."""
        (name,), (row,) = question.columns, rows
        label = label_of(schema, name)
        return (
            label is not None
            and name in question.shown
            and question.answer == written(row[name])
            and question.text == self.write(question.form, column=label, entity=name_of(schema, row))
        )
