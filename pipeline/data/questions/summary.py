"""Summaries: what a record, or a few of them, says, in one sentence or two.

The prompt has no words of its own, so the forms are ways to lay out what is to be summarized; the answer follows
from the facts and their order alone. Hands on two kinds, :class:`Summary` and :class:`MultiSummary`.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..schema import Column, TableSchema, written
from .forms.summary import LAYOUTS
from .kind import Kind, Question, Row, Scene, facts_of, name_of
from .several import gather
from .values import rank, ranked, written_rank

__all__ = ["MultiSummary", "Summary"]

_MOST_FACTS = 6
_MOST_CLAUSES = 2
_FOR_EACH = re.compile(r"\[(.*?)\]", re.DOTALL)
_LAST_SLOT = re.compile(r".*\{[^{}]+\}(.*)", re.DOTALL)
_BETWEEN = "(?:, | and )"


class _Laid(Kind):
    """Shows records in a layout."""

    role = "summarizer"
    forms = LAYOUTS

    def record(self, question: Question, schema: TableSchema, rows: Sequence[Row]) -> str:
        """The rows in the form's layout, with an empty line between them."""
        layout = self.form(question.form)
        return "\n\n".join(
            _laid_out(layout, schema.label, name_of(schema, row), facts_of(question, schema, row)) for row in rows
        )

    def any_form(self, split: str, rng: random.Random) -> str:
        """The layout of a bundle's records half the time, where the split has it."""
        return f"{self.name}.train.0" if split == "train" and rng.random() < 0.5 else super().any_form(split, rng)


class Summary(_Laid):
    """Summarizes one record: its first few facts."""

    name = "summary"

    def generate(self, scene: Scene, count: int | None, rng: random.Random) -> list[Question]:
        """The one summary of a record in one layout; none where nothing but its name is recorded."""
        names = tuple(name for name in scene.names() if name not in scene.schema.entity) if scene.entity else ()
        if not names:
            return []
        question = Question("", "", self.any_form(scene.split, rng), names[:_MOST_FACTS], shown=names)
        facts = facts_of(question, scene.schema, scene.row)[:_MOST_FACTS]
        first, then = facts[:3], facts[3:]
        sentences = [f"The {scene.schema.label} {scene.entity} has {_joined([f'the {c} {v}' for c, v in first])}."]
        if then:
            sentences.append(f"Its {_joined([f'{c} is {v}' for c, v in then])}.")
        return [replace(question, answer=" ".join(sentences))]

    def check(self, question: Question, schema: TableSchema, rows: Sequence[Row]) -> bool:
        """Whether the answer holds each of the first facts once, in order, and else only words that say nothing."""
        (row,) = rows
        labels = {column.name: column.label for column in schema.columns}
        asked = question.shown[:_MOST_FACTS]
        values = [(re.escape(labels[name]), re.escape(str(written(row[name])))) for name in asked]
        first = _BETWEEN.join(f"the {label} {value}" for label, value in values[:3])
        then = _BETWEEN.join(f"{label} is {value}" for label, value in values[3:])
        head = re.escape(f"The {schema.label} {name_of(schema, row)} has ")
        pattern = rf"{head}{first}\." + (rf" Its {then}\." if then else "")
        return question.columns == asked and not question.text and bool(re.fullmatch(pattern, question.answer))


class MultiSummary(_Laid):
    """Summarizes a few records: what they are, and how their first columns compare."""

    name = "multi_summary"

    def generate(self, scene: Scene, count: int | None, rng: random.Random) -> list[Question]:
        """One summary of a few rows."""
        found = gather(scene, rng, _MOST_CLAUSES if count is not None else None, _all_recorded, least=2)
        if found is None:
            return []
        labels = {column.name: column for column in scene.schema.columns}
        columns = [labels[name] for name in found.shown if _all_recorded(labels[name], found.rows)][:_MOST_CLAUSES]
        clauses = [_clause(column, found.rows, found.names) for column in columns]
        answer = f"{_opening(scene.schema.label, found.names)} {_sentence(clauses)}"
        asked = tuple(column.name for column in columns)
        return [Question("", answer, self.any_form(scene.split, rng), asked, found.places, found.shown)]

    def check(self, question: Question, schema: TableSchema, rows: Sequence[Row]) -> bool:
        """Whether the answer counts and names the rows, and each clause of it holds by what is written."""
        names = [name_of(schema, row) for row in rows]
        labels = {column.name: column.label for column in schema.columns}
        recorded = [name for name in question.shown if all(written(row[name]) is not None for row in rows)]
        clauses = []
        for name in question.columns:
            values = [written(row[name]) or "" for row in rows]
            ordered = all(rank(row[name]) is not None for row in rows)
            clauses.append(_clause_as_written(labels[name], values, names, ordered))
        answer = f"{_opening(schema.label, names)} {_sentence(clauses)}"
        first = tuple(recorded[:_MOST_CLAUSES])
        return bool(clauses) and question.columns == first and question.text == "" and question.answer == answer


class _Told(str):
    """A text that a slot may want as JSON."""

    def __format__(self, spec: str) -> str:
        return json.dumps(self, ensure_ascii=False) if spec == "json" else str(self)


def _laid_out(layout: str, label: str, entity: str, facts: Sequence[tuple[str, str]]) -> str:
    named = {"label": _Told(label), "entity": _Told(entity)}
    pieces = _FOR_EACH.split(layout)  # every second one stood in brackets
    pieces[::2] = [piece.format(**named) for piece in pieces[::2]]
    pieces[1::2] = [_for_each(piece, facts, named) for piece in pieces[1::2]]
    return "".join(pieces)


def _for_each(piece: str, facts: Sequence[tuple[str, str]], named: Mapping[str, str]) -> str:
    told = "".join(piece.format(column=_Told(column), value=_Told(value), **named) for column, value in facts)
    between = _LAST_SLOT.fullmatch(piece)
    return told.removesuffix(between[1]) if between else told


def _joined(parts: Sequence[str]) -> str:
    """Parts of a sentence: "a, b and c"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _opening(label: str, names: Sequence[str]) -> str:
    return f"{len(names)} records of the kind {label}: {'; '.join(names)}."


def _sentence(clauses: Sequence[str]) -> str:
    joined = "; ".join(clauses)
    return f"{joined[0].upper()}{joined[1:]}."


def _all_recorded(column: Column, rows: Sequence[Row]) -> bool:
    return all(written(row[column.name]) is not None for row in rows)


def _clause(column: Column, rows: Sequence[Row], names: Sequence[str]) -> str:
    """How rows compare in a column: alike, from the lowest to the highest, or each on its own."""
    values = [str(written(row[column.name])) for row in rows]
    if len(set(values)) == 1:
        return f"the {column.label} is {values[0]} for all"
    if ranked(column, rows):
        by_rank = sorted(zip(map(rank, [row[column.name] for row in rows]), values, names, strict=True))
        (_, least, of_least), (_, most, of_most) = by_rank[0], by_rank[-1]
        return f"the {column.label} goes from {least} ({of_least}) to {most} ({of_most})"
    return _each(column.label, values, names)


def _clause_as_written(label: str, values: Sequence[str], names: Sequence[str], ordered: bool) -> str:
    """The same from the written values alone; ``ordered`` says that they are numbers or dates, not texts."""
    if values.count(values[0]) == len(values):
        return f"the {label} is {values[0]} for all"
    ranks = [written_rank(value) for value in values]
    if ordered and all(ranks.count(number) == 1 for number in ranks):
        order = sorted(range(len(ranks)), key=lambda place: ranks[place])  # type: ignore[arg-type, return-value]
        least, most = order[0], order[-1]
        return f"the {label} goes from {values[least]} ({names[least]}) to {values[most]} ({names[most]})"
    return _each(label, values, names)


def _each(label: str, values: Sequence[str], names: Sequence[str]) -> str:
    return f"the {label} is {_joined([f'{value} for {name}' for value, name in zip(values, names, strict=True)])}"
