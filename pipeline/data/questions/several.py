"""What the kinds share that show several rows: which rows, and which columns of them.

Does not know what is asked.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..schema import Column
from .kind import Row, Scene, name_of

__all__ = ["Gathered", "gather"]

_MOST_BESIDE = 2
"""Columns that are shown beside those that are asked for: whole records would be long, and bare ones too easy."""


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
    chosen = [0, *rng.sample(places[1:], rng.randint(least, most) - 1)]
    rng.shuffle(chosen)
    rows = tuple(scene.rows[place] for place in chosen)
    columns = [column for column in scene.schema.columns if column.name not in scene.schema.entity]
    found = [column for column in columns if usable(column, rows)]
    if not found:
        return None
    asked = found if count is None else rng.sample(found, min(count, len(found)))
    beside = [column for column in columns if column not in asked]
    beside = rng.sample(beside, rng.randint(0, min(_MOST_BESIDE, len(beside))))
    names = tuple(name_of(scene.schema, row) for row in rows)
    return Gathered(tuple(chosen), rows, names, tuple(asked), scene.names([*asked, *beside]))
