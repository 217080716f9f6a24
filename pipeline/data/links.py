"""Links between tables: a column whose values name rows of another table, such as a country of airports.

Rows that name the same row, and that row, share a tie, by which they come into one split. Hands on what ties a row
has. Does not know splits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from attar.runtime.errors import DataError

from .asking import Readable
from .schema import nearest_name, require_columns, written
from .splits import group_key

__all__ = ["Link", "Linked", "Ties"]


class Linked(Readable, Protocol):
    """A table that may have links: column to the label of the table whose rows its values name, or to LABEL.COLUMN."""

    @property
    def links(self) -> Mapping[str, str]: ...


@dataclass(frozen=True)
class Link:
    """One link: the column that names rows, the table that they are in, and its column that holds these names."""

    column: str
    label: str
    key: str


class Ties:
    """The links of several tables, and the ties of their rows.

    Args:
        tables: The tables; where one of them has links, no two may be called the same.

    Raises:
        DataError: A link is by a column, or to a table or column, that is not there.
    """

    def __init__(self, tables: Iterable[Linked]) -> None:
        self._tables = list(tables)
        self._links = {table.schema.label: self._resolved(table) for table in self._tables}
        self._named: dict[str, list[str]] = {label: [] for label in self._links}
        for link in (link for links in self._links.values() for link in links):
            if link.key not in self._named[link.label]:
                self._named[link.label].append(link.key)

    def of(self, label: str, row: Mapping[str, object]) -> list[str]:
        """The ties of a row of the table of that label: by the rows that it names, then by what it is named by."""
        named = [(link.label, link.key, written(row[link.column])) for link in self._links[label]]
        named += [(label, key, written(row[key])) for key in self._named[label]]
        return list(dict.fromkeys(group_key(f"{label}.{key}", value) for label, key, value in named if value))

    def in_order(self) -> list[Linked]:
        """The tables, each after those that it names where they do not name it in turn."""
        order: dict[str, None] = {}
        waiting = [(table.schema.label, False) for table in reversed(self._tables)]
        begun: set[str] = set()
        while waiting:
            label, is_done = waiting.pop()
            if is_done:
                order[label] = None
            elif label not in begun:
                begun.add(label)
                waiting += [(label, True), *((link.label, False) for link in reversed(self._links[label]))]
        places = {label: place for place, label in enumerate(order)}
        return sorted(self._tables, key=lambda table: places[table.schema.label])

    def _resolved(self, table: Linked) -> Sequence[Link]:
        label = table.schema.label
        if table.links:
            self._require_names()
            require_columns(label, list(table.links), list(table.schema.types))
        return [Link(column, *self._target(target, label)) for column, target in table.links.items()]

    def _target(self, target: str, label: str) -> tuple[str, str]:
        """Label and column that a link leads to."""
        known = {table.schema.label: table.schema for table in self._tables}
        if target in known:
            return target, known[target].entity[0]
        named, _, column = target.rpartition(".")
        if named in known:
            require_columns(named, [column], list(known[named].types))
            return named, column
        raise DataError(
            f"The table {label!r} links to {target!r}, which is no table.",
            why=f"The tables are: {', '.join(map(repr, known))}.",
            next_step=f"{nearest_name(target, list(known))} A column of one is written LABEL.COLUMN.",
        )

    def _require_names(self) -> None:
        counts = Counter(table.schema.label for table in self._tables)
        for label, count in counts.items():
            if count > 1:
                raise DataError(
                    f"Two tables are called {label!r}, so a link can't tell them apart.",
                    next_step="Give one of them another label.",
                )
