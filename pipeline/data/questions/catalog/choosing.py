"""Which tools there are, which of them a prompt offers, and under which names.

The test split has tools of its own, so that a score on it measures reading of definitions. Does not know questions.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from ..kind import Scene
from .away import AWAY
from .desk import DESK
from .held_out import HELD_OUT
from .home import HOME
from .tool import STYLES, Offer, Tool
from .values import VALUES

__all__ = ["BARE", "TOOLS", "fill", "offered", "read_offer", "record_tool", "shared_tools"]

_ALL: Mapping[str, Sequence[Tool]] = {"train": (*HOME, *DESK, *AWAY), "test": HELD_OUT}

TOOLS = {split: tuple(tool for tool in tools if tool.parameters) for split, tools in _ALL.items()}
"""Split to the tools that take arguments."""

BARE = {split: tuple(tool for tool in tools if not tool.parameters) for split, tools in _ALL.items()}
"""Split to the tools that take none."""


def fill(tool: Tool, scene: Scene, rng: random.Random) -> dict[str, Any]:
    """Values for the slots of a tool."""
    return {slot: VALUES[filler](scene, rng) for slot, filler in tool.parameters.items()}


@cache
def record_tool(label: str) -> Tool:
    """The tool that looks up one record of a table; it is asked for by a question on the record."""
    word = re.sub(r"[^a-z0-9]+", "_", label.casefold()).strip("_") or "record"
    names = tuple(f"{verb} {word}" for verb in ("find", "look up", "fetch"))
    abouts = (f"Find a record of the kind {label} by its name.", f"Look up what is recorded of one {label}.")
    return Tool("records", names, abouts, (), {"name": "entity"})


def offered(tools: Sequence[Tool], scene: Scene, rng: random.Random) -> list[Offer]:
    """Tools as a prompt offers them: in training under drawn names in one style, else under their plain ones."""
    if scene.split == "test":
        return [tool.plain for tool in tools]
    style = rng.choice(STYLES)
    return [tool.drawn(style, rng) for tool in tools]


def shared_tools(scene: Scene) -> list[Offer]:
    """The tools that every kind offers on a scene: some of each sort; none where each kind takes its own."""
    if scene.shared is None:
        return []
    chance = random.Random(f"{scene.shared}:tools")
    taking = chance.sample(TOOLS[scene.split], chance.randint(1, 3))
    bare = chance.sample(BARE[scene.split], chance.randint(1, 2))
    tools = [*taking, *bare, record_tool(scene.schema.label)]
    return offered(chance.sample(tools, len(tools)), scene, chance)


def read_offer(definition: Mapping[str, Any], split: str, label: str) -> Offer | None:
    """The offer that a definition in a prompt of a split is, on a table of that label; None where there is no such."""
    tool = _by_name(split).get(definition["function"]["name"], record_tool(label))
    return tool.read(definition)


@cache
def _by_name(split: str) -> dict[str, Tool]:
    return {name: tool for tool in _ALL[split] for name in tool.spellings}
