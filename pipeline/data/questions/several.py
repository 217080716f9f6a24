"""What the kinds share that show several rows: which rows, and which columns of them.

Does not know what is asked.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..schema import Column, written
from .kind import Row, Scene, name_of
from .values import ranked

__all__ = ["Gathered", "gather"]

_MOST_BESIDE = 2
"""Columns that are shown beside those that are asked for: whole records would be long, and bare ones too easy."""
_SHARED = 2
"""Columns of numbers or dates, and as many others, that all kinds ask for on the same rows."""


@dataclass(frozen=True)
class Gathered:
    """Rows of a scene that a prompt shows.

    Attributes:
        places: Their places in :attr:`Scene.rows`, in the order of the prompt.
        rows: The rows.
        names: What they are called.
        columns: The columns to ask for.
        shown: Names of the columns that the prompt shows.
    """

    places: tuple[int, ...]
    rows: tuple[Row, ...]
    names: tuple[str, ...]
    columns: tuple[Column, ...]
    shown: tuple[str, ...]


def gather(
    scene: Scene,
    rng: random.Random,
    count: int | None,
    usable: Callable[[Column, Sequence[Row]], bool],
    *,
    least: int = 3,
    most: int | None = None,
) -> Gathered | None:
    """Rows at random, and up to ``count`` columns that can be asked for on all of them.

    Where the kinds share what they show, columns are asked for that are shown anyway, if one of them is usable.

    Args:
        scene: The row whose turn it is, which is always among them, and the others.
        rng: Where chance comes from.
        count: How many columns at most; all where it is None.
        usable: Whether a column can be asked for on these rows.
        least: How few rows will do.
        most: How many rows at most; by default as many as the scene says.

    Returns:
        None where there are too few rows or no such column.
    """
    # A semicolon stands between names in an answer.
    places = [place for place, row in enumerate(scene.rows) if ";" not in name_of(scene.schema, row)]
    most = min(most or max(scene.most_rows, least), len(places))
    if most < least or places[0] != 0:
        return None
    chance = scene.chance(f"rows {least} {most}", rng)
    chosen = [0, *chance.sample(places[1:], chance.randint(least, most) - 1)]
    chance.shuffle(chosen)
    rows = tuple(scene.rows[place] for place in chosen)
    columns = [column for column in scene.schema.columns if column.name not in scene.schema.entity]
    found = [column for column in columns if usable(column, rows)]
    if not found:
        return None
    shared = _shared_columns(scene, columns, rows)
    if shown := [column for column in found if column in shared]:
        asked, beside = _some(shown, count, rng), shared
    else:
        asked = _some(found, count, rng)
        beside = [column for column in columns if column not in asked]
        beside = rng.sample(beside, rng.randint(0, min(_MOST_BESIDE, len(beside))))
    names = tuple(name_of(scene.schema, row) for row in rows)
    return Gathered(tuple(chosen), rows, names, tuple(asked), scene.names([*asked, *beside]))


def _some(columns: Sequence[Column], count: int | None, rng: random.Random) -> list[Column]:
    return list(columns) if count is None else rng.sample(columns, min(count, len(columns)))


def _shared_columns(scene: Scene, columns: Sequence[Column], rows: Sequence[Row]) -> list[Column]:
    """The columns that every kind shows of these rows: some to compare by, and some others; none if not shared."""
    if scene.shared is None:
        return []
    chance = random.Random(f"{scene.shared}:columns")
    recorded = [column for column in columns if all(written(row[column.name]) is not None for row in rows)]
    orders = [column for column in recorded if ranked(column, rows)]
    others = [column for column in recorded if column not in orders]
    return [*_some(orders, _SHARED, chance), *_some(others, _SHARED, chance)]
