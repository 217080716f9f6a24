"""Conditions that some of a few rows meet: a value, or more or less than one.

Shared by counting and filtering. Does not know what is asked about them.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..schema import Column, TableSchema, written
from .kind import Row, Scene, label_of
from .several import Gathered
from .values import THAN, is_date, rank, same, written_rank

__all__ = ["Condition", "any_condition", "can_be_met", "condition_of"]


@dataclass(frozen=True)
class Condition:
    """What a row's column has to be.

    Attributes:
        column: Name of the column.
        label: How people call it.
        relation: "is", or one of :data:`~.values.THAN`.
        value: The written value.
    """

    column: str
    label: str
    relation: str
    value: str

    @property
    def words(self) -> str:
        """The condition as a part of a question."""
        if self.relation == "is":
            return f"{self.value} as {self.label}"
        return f"{self.label} {self.relation} {self.value}"

    @property
    def given(self) -> dict[str, str]:
        """What it takes to make it again with :func:`condition_of`."""
        return {"relation": self.relation, "value": self.value}

    def met_as_written(self, row: Row) -> bool:
        """Whether a row meets it, by what is written; a column that is not recorded meets nothing."""
        text = written(row[self.column])
        if text is None:
            return False
        if self.relation == "is":
            return same(text, self.value)
        one, other = written_rank(text), written_rank(self.value)
        if one is None or other is None or type(one) is not type(other):
            return False
        return one > other if self.relation in ("above", "after") else one < other  # type: ignore[operator]


def can_be_met(column: Column, rows: Sequence[Row]) -> bool:
    """Whether a condition can be put on a column: all rows have a value in it."""
    return all(written(row[column.name]) is not None for row in rows)


def any_condition(column: Column, scene: Scene, found: Gathered, rng: random.Random) -> tuple[Condition, list[bool]]:
    """A condition on a column, and which of the shown rows meet it, by their values.

    Its value is that of a shown row, or now and then of another, so that sometimes no row meets it.
    """
    own = [row[column.name] for row in found.rows]
    others = [row[column.name] for row in scene.rows if written(row[column.name]) is not None]
    value = rng.choice(others if rng.random() < 0.25 else own)
    limit = rank(value)
    if limit is None or rng.random() < 0.25:
        met = [same(str(written(other)), str(written(value))) for other in own]
        return Condition(column.name, column.label, "is", str(written(value))), met
    above = rng.random() < 0.5
    ranks = [rank(other) for other in own]
    met = [other is not None and (other > limit if above else other < limit) for other in ranks]
    relation = THAN[is_date(value)][0 if above else 1]
    return Condition(column.name, column.label, relation, str(written(value))), met


def condition_of(name: str, schema: TableSchema, given: Mapping[str, str]) -> Condition:
    """The condition on a column that was given so."""
    return Condition(name, label_of(schema, name) or "", given["relation"], given["value"])
