"""Things that belong together, found by joining two of them at a time: a union-find forest.

Path halving as by R. Tarjan and J. van Leeuwen, "Worst-case analysis of set union algorithms", 1984. Does not know
what is joined, nor why.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

__all__ = ["Forest"]

Thing = TypeVar("Thing", bound=Hashable)


class Forest(Generic[Thing]):
    """Groups of things; one that was never joined is a group of its own."""

    def __init__(self) -> None:
        self._parent: dict[Thing, Thing] = {}

    def root(self, thing: Thing) -> Thing:
        """What stands for the group of a thing."""
        parent = self._parent
        while (above := parent.setdefault(thing, thing)) != thing:
            parent[thing] = parent[above]
            thing = parent[thing]
        return thing

    def join(self, one: Thing, other: Thing) -> None:
        """Make one group of those that two things are in; that of the first keeps its root."""
        self._parent[self.root(other)] = self.root(one)
