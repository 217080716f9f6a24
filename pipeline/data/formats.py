"""How a table holds samples already: questions with answers, instructions, prompts, chats, or texts with labels.

A table is known by the names of its columns, or its columns are named by the caller. Does not know rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from attar.runtime.errors import DataError

from ..progress import say
from .schema import TableSchema

__all__ = ["FORMATS", "Given", "format_of", "recognized", "told"]

FORMATS: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "messages": (("messages",), ()),
    "instruction": (("instruction", "output"), ("input",)),
    "prompt": (("prompt", "completion"), ()),
    "question": (("question", "answer"), ("context",)),
    "text": (("text", "label"), ()),
}
"""Format to the parts that it needs and those that it may have; each part is a column."""
_MOST_BESIDE = 2
"""A table with more columns beside a whole pair is one of records that happens to have the pair."""


@dataclass(frozen=True)
class Given:
    """Which columns of a table hold what.

    Attributes:
        format: One of :data:`FORMATS`.
        columns: Part to column.
    """

    format: str
    columns: Mapping[str, str]

    def schema(self, label: str) -> TableSchema:
        """A schema for what looks at tables by their schemas: the row is called by what is asked."""
        return TableSchema(label, (next(iter(self.columns.values())),), ())

    def __str__(self) -> str:
        return " and ".join(repr(name) for name in self.columns.values())


def recognized(names: Sequence[str]) -> Given | None:
    """The format of a table with these columns; None where it holds rows to ask about.

    A whole pair has to be there, whatever the case of its letters, and little else.
    """
    known = {name.casefold(): name for name in names}
    for form, (needed, optional) in FORMATS.items():
        parts = [part for part in (*needed[:-1], *optional, needed[-1]) if part in known]
        if set(needed) <= known.keys() and len(names) - len(parts) <= _MOST_BESIDE:
            return Given(form, {part: known[part] for part in parts})
    return None


def told(parts: Mapping[str, str], names: Sequence[str]) -> Given:
    """The format of a table whose parts are named.

    Raises:
        DataError: The parts are those of no format, or a column is not there.
    """
    for part, name in parts.items():
        if name not in names:
            raise DataError(
                f"There is no column {name!r} to take as the {part}.",
                why=f"The columns are: {', '.join(names)}.",
                next_step="Name a column that is there.",
            )
    for form, (needed, optional) in FORMATS.items():
        if set(needed) <= parts.keys() <= {*needed, *optional}:
            order = (*needed[:-1], *optional, needed[-1])
            return Given(form, {part: parts[part] for part in order if part in parts})
    choices = "; ".join(" and ".join(needed) for needed, _ in FORMATS.values())
    raise DataError(
        f"A table is not taken as it is by {', '.join(parts)}.", next_step=f"Name columns for one of these: {choices}."
    )


def format_of(
    source: str, names: Sequence[str], parts: Mapping[str, str] | Literal[False] | None, *, guess: bool
) -> Given | None:
    """The format of a table, told or recognized; a line says which it was recognized as.

    Args:
        source: The table's source, as it is shown.
        names: Its columns.
        parts: Part to column; False where it holds rows to ask about, None where nobody says.
        guess: Whether its columns' names decide, where nobody says.

    Raises:
        DataError: See :func:`told`.
    """
    if parts:
        return told(parts, names)
    found = recognized(names) if parts is None and guess else None
    if found:
        say(f"{source}: taken as it is, by its columns {found}; to ask about its rows instead, set given to false.")
    return found
