"""What a question kind is: the scene it is asked on, the question it asks, and the forms it is asked in.

Hands on :class:`Kind`, the base of all kinds. Does not know splits' sizes, files or tokens.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from attar.runtime.prompts import Message, record_text

from ..schema import Column, TableSchema, written

__all__ = ["Kind", "Question", "Row", "Scene", "facts_of", "label_of", "listed", "name_of"]

Row = Mapping[str, object]
"""A row, its values from the source or swapped."""


@dataclass(frozen=True)
class Scene:
    """What a question can be asked about: a row, and others of the same split and table.

    Attributes:
        schema: What the table's columns mean.
        split: "train" or "test".
        row: The row whose turn it is.
        order: The columns in the order in which a prompt shows them.
        draw: Draws the others; they all have names, no two the same.
        most_rows: How many rows a prompt shows at most.
        hidden: Names of columns that no prompt on the row shows, recorded or not.
        shared: Seed by which all kinds take the same other rows, columns and tools, so that their prompts begin
            alike and are read once for many questions; None where each takes its own.
    """

    schema: TableSchema
    split: str
    row: Row
    order: tuple[Column, ...]
    draw: Callable[[], Sequence[Row]] = tuple
    most_rows: int = 5
    hidden: frozenset[str] = frozenset()
    shared: str | None = None

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """The row whose turn it is, and the others; drawn when first asked for."""
        return (self.row, *self.draw())

    @property
    def entity(self) -> str:
        """What the row is called."""
        return name_of(self.schema, self.row)

    @property
    def facts(self) -> list[tuple[Column, str]]:
        """What is recorded of the row, and not hidden: columns and their written values."""
        return [(column, value) for column, value in self.schema.facts_of(self.row) if column.name not in self.hidden]

    def chance(self, what: str, own: random.Random) -> random.Random:
        """Where chance comes from for what the kinds may share, such as "rows"."""
        return own if self.shared is None else random.Random(f"{self.shared}:{what}")

    def names(self, columns: Iterable[Column] | None = None) -> tuple[str, ...]:
        """Names of columns in the order of the prompt, by default of those that are recorded and not hidden."""
        if columns is None:
            recorded = {column.name for column, _ in self.facts}
            return tuple(column.name for column in self.order if column.name in recorded)
        wanted = {column.name for column in columns}
        return tuple(column.name for column in self.order if column.name in wanted)


@dataclass(frozen=True)
class Question:
    """A question, its answer, and what both were made from.

    Attributes:
        text: The question, claim or query; empty where the prompt is the text alone.
        answer: The answer.
        form: Name of the surface form, such as "lookup.train.3".
        columns: Names of the columns that are asked for.
        rows: Places in :attr:`Scene.rows` of the rows that the prompt shows, in order.
        shown: Names of the columns that the prompt shows of them, in order.
        given: What the form was filled with besides, as JSON values.
        tools: The tools that can be called, as the chat template reads them.
    """

    text: str
    answer: str
    form: str
    columns: tuple[str, ...] = ()
    rows: tuple[int, ...] = (0,)
    shown: tuple[str, ...] = ()
    given: Mapping[str, Any] = field(default_factory=dict)
    tools: Sequence[Mapping[str, Any]] = ()


class Kind(ABC):
    """A kind of question.

    Attributes:
        name: Its name in configs, samples and reports.
        role: Whose prompt it stands in: "qa", "summarizer", "validator" or "router".
        forms: Split to surface forms; the splits share none.
        shows_records: Whether the prompt shows the rows at all.
    """

    name: str
    role: str = "qa"
    forms: Mapping[str, Sequence[str]]
    shows_records: bool = True

    @abstractmethod
    def generate(self, scene: Scene, count: int | None, rng: random.Random) -> list[Question]:
        """Up to ``count`` questions on one scene; as many as there are where it is None, none where it has none."""

    @abstractmethod
    def check(self, question: Question, schema: TableSchema, rows: Sequence[Row]) -> bool:
        """Whether question and answer are what the rows that the prompt shows give, recomputed from these alone."""

    def record(self, question: Question, schema: TableSchema, rows: Sequence[Row]) -> str:
        """The rows as the prompt shows them; empty where it shows none."""
        if not self.shows_records:
            return ""
        return "\n\n".join(
            record_text(schema.label, name_of(schema, row), facts_of(question, schema, row)) for row in rows
        )

    def turns(self, question: Question, schema: TableSchema, rows: Sequence[Row]) -> list[Message]:
        """What was said after the question and before the answer."""
        return []

    def write(self, form: str, **slots: object) -> str:
        """A form, given by its name, filled in."""
        text = self.form(form).format(**slots)
        return text[0].upper() + text[1:]

    def form(self, name: str) -> str:
        """The form of that name."""
        _, split, number = name.rsplit(".", 2)
        return self.forms[split][int(number)]

    def any_form(self, split: str, rng: random.Random) -> str:
        """The name of one form."""
        return f"{self.name}.{split}.{rng.randrange(len(self.forms[split]))}"


def name_of(schema: TableSchema, row: Row) -> str:
    """What a row is called; empty where its name is missing."""
    return schema.entity_of(row) or ""


def label_of(schema: TableSchema, name: str) -> str | None:
    """What a column is called; None where the schema has no such column."""
    return next((column.label for column in schema.columns if column.name == name), None)


def listed(names: Iterable[str]) -> str:
    """Several names as one answer; commas stand in names, semicolons hardly ever."""
    return "; ".join(names)


def facts_of(question: Question, schema: TableSchema, row: Row) -> list[tuple[str, str]]:
    """Label and written value of the columns that the prompt shows of a row, where they are recorded."""
    labels = {column.name: column.label for column in schema.columns}
    return [(labels[name], value) for name in question.shown if (value := written(row[name])) is not None]
