"""Lookup: one column of one entity, answered by the value as it stands in the record.

The test split is asked in forms that training has not, so that a score on it measures reading,
not the memory of a form. Does not know splits, files or tokens.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..schema import Column, TableSchema, written

__all__ = ["Lookup", "Question"]

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


@dataclass(frozen=True)
class Question:
    """A question's text, its answer, and what it was made from."""

    text: str
    answer: str
    column: str
    form: str


class Lookup:
    """Asks for the value of one column."""

    name = "lookup"
    forms: Mapping[str, Sequence[str]] = {"train": _TRAIN_FORMS, "test": _TEST_FORMS}

    def generate(
        self,
        schema: TableSchema,
        row: Mapping[str, object],
        split: str,
        count: int | None,
        rng: random.Random,
    ) -> list[Question]:
        """Up to ``count`` questions on one row, each on another column; all columns where it is None."""
        entity = schema.entity_of(row)
        facts = schema.facts_of(row)
        if entity is None:
            return []
        if count is not None and count < len(facts):
            facts = rng.sample(facts, count)
        return [self._ask(column, value, entity, split, rng) for column, value in facts]

    def check(self, question: Question, schema: TableSchema, row: Mapping[str, object]) -> bool:
        """Whether the answer is what the row says, recomputed from the row alone."""
        return question.column in {c.name for c in schema.columns} and question.answer == written(row[question.column])

    def _ask(self, column: Column, value: str, entity: str, split: str, rng: random.Random) -> Question:
        forms = self.forms[split]
        number = rng.randrange(len(forms))
        text = forms[number].format(column=column.label, entity=entity)
        return Question(text[0].upper() + text[1:], value, column.name, f"{self.name}.{split}.{number}")
