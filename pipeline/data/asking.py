"""Questions on the rows of one table: which kinds, by weight, on which rows, and the samples that they become.

Every question is checked against its rows before it is handed on; what a checker refuses is counted. Does not know
how a table was read, nor how many records a split is to have.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from attar.runtime.errors import UsageError
from attar.runtime.spelling import nearest

from .patterns import Patterns
from .questions import KINDS, Kind, Question, Row, Scene
from .samples import QAPair, Sample, sample_id
from .schema import Column, TableSchema, written

__all__ = ["Asked", "Asker", "Drawn", "KindUse", "Readable", "changing", "chosen_kinds", "swapped"]

_AT_ONCE = 2
"""Questions of one kind on a row, even where its weight makes for fewer: they share what the prompt shows."""
_MOST_HIDDEN = 2
"""Columns that prompts then leave out at most, so that "not recorded" can be asked about what others look up."""
_OTHERS = 8
"""Other rows that a question may show, or take its wrong values from."""


@dataclass(frozen=True)
class KindUse:
    """How a question kind is used.

    Attributes:
        weight: Its share of the questions, relative to the other kinds; 0 switches it off.
        rows: How many rows its prompts show at most.
    """

    weight: float = 1.0
    rows: int = 5


class Readable(Protocol):
    """A table as questions need it."""

    @property
    def source(self) -> str: ...
    @property
    def source_sha256(self) -> str: ...
    @property
    def schema(self) -> TableSchema: ...
    @property
    def rows(self) -> Sequence[Row]: ...


@dataclass(frozen=True)
class Drawn:
    """A row of a scene: its number, its values, and where they come from if they were swapped or invented."""

    number: int
    row: Row
    donors: list[int]
    invented: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """A question on the rows that its prompt shows."""

    table: Readable
    kind: Kind
    question: Question
    split: str
    seed: str
    drawn: tuple[Drawn, ...]

    @property
    def rows(self) -> list[Row]:
        """The rows, values swapped where they were."""
        return [drawn.row for drawn in self.drawn]

    @property
    def is_right(self) -> bool:
        """Whether the answer follows from the rows, by the kind's checker."""
        return self.kind.check(self.question, self.table.schema, self.rows)

    @property
    def pair(self) -> QAPair:
        """Question and answer, with the first row."""
        question, schema, row = self.question, self.table.schema, self.drawn[0].row
        column = question.columns[0] if question.columns else ""
        entity = schema.entity_of(row) or ""
        text, answer = question.text, question.answer
        return QAPair(text, answer, row, schema.label, entity, column, question.form, self.split, self.kind.name)

    @property
    def sample(self) -> Sample:
        """The sample that it becomes."""
        table, question, kind = self.table, self.question, self.kind
        record = kind.record(question, table.schema, self.rows)
        turns = kind.turns(question, table.schema, self.rows)
        tools = [dict(tool) for tool in question.tools]
        return Sample(
            id=sample_id(record, question.text, question.answer, self.split, kind.role, tools, turns),
            record=record,
            question=question.text,
            answer=question.answer,
            kind=kind.name,
            form=question.form,
            split=self.split,
            source=table.source,
            source_sha256=table.source_sha256,
            table=table.schema.label,
            rows=[drawn.number for drawn in self.drawn],
            columns=list(question.columns),
            shown=list(question.shown),
            seed=self.seed,
            role=kind.role,
            given=dict(question.given),
            tools=tools,
            turns=turns,
            donors=[drawn.donors for drawn in self.drawn if drawn.donors],
            invented=[drawn.invented for drawn in self.drawn] if any(drawn.invented for drawn in self.drawn) else [],
        )


class Asker:
    """Asks about the rows of one table in one split.

    On each row the kinds come first that are furthest behind their weights; where one has nothing to ask, the
    others take its part, and it comes first again on the next row. So the kinds' shares are as near to the weights
    as the table allows.

    Args:
        table: The table.
        split: "train" or "test".
        numbers: Numbers of the rows in that split that have a name.
        kinds: Name to use of the kinds to ask.
        counterfactual: Whether rows that come again get values of other rows of the split.
        invented: Share of these values that are drawn from the column's pattern instead, and stand in no row.
        shared: Share of the turns of training rows on which all kinds show the same rows, columns and tools.
        seed: Seed of every choice.
        refused: Counts, by kind, the questions that their checkers refused.
    """

    def __init__(
        self,
        table: Readable,
        split: str,
        numbers: Sequence[int],
        kinds: Mapping[str, KindUse],
        *,
        counterfactual: bool,
        invented: float = 0.0,
        shared: float = 0.0,
        seed: int,
        refused: Counter[str],
    ) -> None:
        self._table, self._split, self._numbers, self._kinds = table, split, numbers, kinds
        self._counterfactual, self._seed, self._refused = counterfactual, seed, refused
        self._asked: Counter[str] = Counter()
        self._invented, self._shared = invented, shared
        self._patterns = Patterns(table.rows, changing(table.schema), numbers)

    def ask(self, number: int, turn: int, count: int) -> Iterator[Asked]:
        """Up to ``count`` questions on a row that came ``turn`` times before, all of them checked."""
        schema = self._table.schema
        seed = f"{self._seed}:{schema.label}:{number}:{turn}"
        rng = random.Random(seed)
        pool = [self._drawn(number, turn)]
        order = self._order(pool[0].row, rng)
        draw = partial(self._others, pool, turn, seed)
        shared, hidden = self._sharing(seed, order)
        left, weights = count, sum(use.weight for use in self._kinds.values())
        for name in sorted(self._kinds, key=self._lag):
            if left <= 0:
                break
            use = self._kinds[name]
            most = min(left, max(_AT_ONCE, math.ceil(left * use.weight / weights)))
            scene = Scene(schema, self._split, pool[0].row, order, draw, use.rows, hidden, shared)
            found = KINDS[name].generate(scene, most, rng)
            asked = [self._asked_on(pool, KINDS[name], question, seed) for question in found]
            right = [one for one in asked if one.is_right]
            self._refused[name] += len(asked) - len(right)
            self._asked[name] += len(right)
            left, weights = left - len(right), weights - use.weight
            yield from right

    def _sharing(self, seed: str, order: Sequence[Column]) -> tuple[str | None, frozenset[str]]:
        """By which seed the kinds share what their prompts show on a turn, if they do, and what these leave out.

        Many questions are then learned from for little more than one prompt's tokens. Held-out questions are asked
        one by one: each with a prompt of its own says most about the model.
        """
        chance = random.Random(f"{seed}:shared")
        if self._split != "train" or chance.random() >= self._shared:
            return None, frozenset()
        names = [column.name for column in order if column.name not in self._table.schema.entity]
        return f"{seed}:shared", frozenset(chance.sample(names, min(chance.randint(0, _MOST_HIDDEN), len(names) // 3)))

    def _lag(self, name: str) -> float:
        """How far a kind has come for its weight; the least comes first."""
        return (self._asked[name] + 1) / self._kinds[name].weight

    def _asked_on(self, pool: Sequence[Drawn], kind: Kind, question: Question, seed: str) -> Asked:
        return Asked(self._table, kind, question, self._split, seed, tuple(pool[place] for place in question.rows))

    def _order(self, row: Row, rng: random.Random) -> tuple[Column, ...]:
        """The columns in the order to show, those first that the row has a value in."""
        recorded = [column for column, _ in self._table.schema.facts_of(row)]
        if self._split == "train":
            rng.shuffle(recorded)  # so that the student reads names, not positions
        return (*recorded, *(column for column in self._table.schema.columns if column not in recorded))

    def _others(self, pool: list[Drawn], turn: int, seed: str) -> list[Row]:
        """Other rows of the split, drawn once for a turn; no two have the same name."""
        if len(pool) == 1:
            rng = random.Random(f"{seed}:others")
            schema = self._table.schema
            names = {_folded(schema.entity_of(pool[0].row))}
            for number in rng.sample(self._numbers, min(len(self._numbers), 2 * _OTHERS)):
                name = _folded(schema.entity_of(self._table.rows[number]))
                if name not in names and len(pool) <= _OTHERS:
                    names.add(name)
                    pool.append(self._drawn(number, turn))
        return [drawn.row for drawn in pool[1:]]

    def _drawn(self, number: int, turn: int) -> Drawn:
        if not (turn and self._counterfactual):
            return Drawn(number, self._table.rows[number], [])
        schema = self._table.schema
        rng = random.Random(f"{self._seed}:{schema.label}:{number}:{turn}:swap")
        kept = set(schema.entity)
        donors = [number if column.name in kept else rng.choice(self._numbers) for column in schema.columns]
        row = swapped(self._table, number, donors)
        if not self._invented:
            return Drawn(number, row, donors)
        texts = self._inventions(row, random.Random(f"{self._seed}:{schema.label}:{number}:{turn}:invent"))
        values = {name: self._patterns.value(name, text) for name, text in texts.items()}
        return Drawn(number, {**row, **values}, donors, texts)

    def _inventions(self, row: Row, rng: random.Random) -> dict[str, str]:
        """Values for some of the columns that are recorded in a row, as they are written."""
        names = [name for name in changing(self._table.schema) if written(row[name]) is not None]
        drawn = {name: self._patterns.draw(name, rng) for name in names if rng.random() < self._invented}
        return {name: text for name, text in drawn.items() if text is not None}


def changing(schema: TableSchema) -> list[str]:
    """Names of the columns whose values may be others than the row's: all that do not name it."""
    return [column.name for column in schema.columns if column.name not in schema.entity]


def swapped(table: Readable, number: int, donors: Sequence[int]) -> Row:
    """A row that takes the value of each column from the row that stands in ``donors`` for it."""
    columns = zip(table.schema.columns, donors, strict=True)
    return {**table.rows[number], **{column.name: table.rows[donor][column.name] for column, donor in columns}}


def chosen_kinds(kinds: Mapping[str, float | KindUse]) -> dict[str, KindUse]:
    """The kinds that are to be asked, each with its use.

    Raises:
        UsageError: There is no kind of that name, or none has a weight.
    """
    chosen = {}
    for name, use in kinds.items():
        if name not in KINDS:
            near = nearest(name, list(KINDS))
            hint = f"Did you mean {near!r}?" if near else f"Name one of: {', '.join(KINDS)}."
            raise UsageError(f"There is no question kind {name!r}.", next_step=hint)
        use = use if isinstance(use, KindUse) else KindUse(use)
        if use.weight > 0:
            chosen[name] = use
    if not chosen:
        raise UsageError("No question kind has a weight.", next_step='Give one, such as {"lookup": 1}.')
    return chosen


def _folded(name: str | None) -> str:
    return " ".join((name or "").casefold().split())
