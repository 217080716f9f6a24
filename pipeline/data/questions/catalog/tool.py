"""A tool, how people ask for it, and the names under which prompts offer it.

The same tool is called otherwise in other prompts, and so are its parameters, so that what it is called in a prompt
can only be read there. Does not know which tools there are, nor prompts.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

from .values import schema_of

__all__ = ["PARAMETERS", "STYLES", "Offer", "Tool", "spelled"]

STYLES = ("snake", "snake", "camel", "prefixed", "dotted", "dotted camel")
"""How names are spelled, as often as they stand here: ``set_timer``, ``setTimer``, ``clock_set_timer``,
``clock.set_timer`` and ``clock.setTimer``."""

_LONGEST_NAME = 64


@dataclass(frozen=True)
class Tool:
    """A tool, and how people ask for it.

    Attributes:
        area: What its name can be prefixed with.
        names: What it can be called, in words; the first is its plain name.
        abouts: What can be said of what it does.
        requests: Queries that ask for it, with a slot for each parameter. None begins with a slot, whose value would
            be written with a capital.
        parameters: Slot to what fills it, a key of ``VALUES``; all are required.
    """

    area: str
    names: tuple[str, ...]
    abouts: tuple[str, ...]
    requests: tuple[str, ...]
    parameters: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def spellings(self) -> frozenset[str]:
        """All that it can be called."""
        return frozenset(spelled(name, style, self.area) for name in self.names for style in STYLES)

    @property
    def plain(self) -> Offer:
        """The tool under its plain name."""
        return Offer(self, spelled(self.names[0], "snake"), self.abouts[0], {slot: slot for slot in self.parameters})

    def drawn(self, style: str, rng: random.Random) -> Offer:
        """The tool under one of its names, its parameters under some of theirs, in any order."""
        slots = rng.sample([*self.parameters], len(self.parameters))
        names = {slot: spelled(rng.choice(_names_of(slot)), style.removeprefix("dotted ")) for slot in slots}
        return Offer(self, spelled(rng.choice(self.names), style, self.area), rng.choice(self.abouts), names)

    def read(self, definition: Mapping[str, Any]) -> Offer | None:
        """The offer that a definition is; None where it is none of this tool."""
        function = definition["function"]
        found = {}
        for name in function["parameters"]["properties"]:
            slot = next((slot for slot in self.parameters if name in _spellings_of(slot)), None)
            if slot is None or slot in found:
                return None
            found[slot] = name
        offer = Offer(self, function["name"], function["description"], found)
        known = offer.name in self.spellings and offer.about in self.abouts and found.keys() == self.parameters.keys()
        return offer if known and offer.definition == definition else None

    def can_be_meant(self, query: str) -> bool:
        """Whether a query asks for it, whatever it says in the slots."""
        return any(_pattern(request, tuple(self.parameters.items())).fullmatch(query) for request in self.requests)


@dataclass(frozen=True)
class Offer:
    """A tool as one prompt offers it.

    Attributes:
        tool: The tool.
        name: What the prompt calls it.
        about: What the prompt says of it.
        names: Slot to what the prompt calls the parameter, in the order in which it names them.
    """

    tool: Tool
    name: str
    about: str
    names: Mapping[str, str]

    @property
    def definition(self) -> dict[str, Any]:
        """The tool as the chat template reads it."""
        properties = {name: schema_of(self.tool.parameters[slot]) for slot, name in self.names.items()}
        parameters = {"type": "object", "properties": properties, "required": list(properties)}
        function = {"name": self.name, "description": self.about, "parameters": parameters}
        return {"type": "function", "function": function}

    def arguments(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Values of the slots as arguments of a call."""
        return {name: values[slot] for slot, name in self.names.items()}

    def values(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments of a call as values of the slots.

        Raises:
            KeyError: One is missing.
        """
        return {slot: arguments[name] for slot, name in self.names.items()}


def spelled(words: str, style: str, area: str = "") -> str:
    """Words as a name, of at most 64 characters; behind its area where the style has one."""
    first, *others = re.split("[ _]+", words)
    name = "".join([first, *map(str.capitalize, others)]) if "camel" in style else "_".join([first, *others])
    if area and "dotted" in style:
        name = f"{area}.{name}"
    elif area and style == "prefixed":
        name = f"{area}_{name}"
    return name[:_LONGEST_NAME]


PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "a": ("first", "number 1"),
    "amount": ("sum", "total"),
    "app": ("program", "app name"),
    "b": ("second", "number 2"),
    "c": ("third", "number 3"),
    "card": ("card number", "card id"),
    "category": ("kind", "spent on"),
    "clock": ("time", "at", "hour"),
    "color": ("shade", "hue"),
    "company": ("business", "company name"),
    "count": ("how many", "quantity", "limit"),
    "currency": ("currency code", "money unit"),
    "date": ("day", "on date", "when"),
    "day": ("weekday", "day of week"),
    "days": ("day count", "length in days"),
    "degrees": ("temperature", "celsius"),
    "device": ("appliance", "device name"),
    "digits": ("decimals", "decimal places"),
    "distance": ("kilometers", "how far"),
    "doctor": ("physician", "doctor name"),
    "email": ("address", "email address", "recipient"),
    "event": ("show", "event name"),
    "file": ("filename", "path", "document"),
    "folder": ("directory", "folder name"),
    "format": ("type", "file type"),
    "guests": ("attendees", "guest count"),
    "high": ("maximum", "upper bound"),
    "ingredient": ("food", "main ingredient"),
    "item": ("product", "article", "item name"),
    "language": ("lang", "spoken language"),
    "level": ("difficulty", "how hard"),
    "low": ("minimum", "lower bound"),
    "medicine": ("drug", "pill"),
    "minutes": ("duration", "duration minutes", "how long"),
    "name": ("exact name", "record name", "called"),
    "network": ("ssid", "network name"),
    "new": ("replacement", "new value"),
    "nights": ("night count", "stay"),
    "number": ("value", "n"),
    "old": ("original", "old value"),
    "origin": ("start", "from place", "departure"),
    "password": ("secret", "key"),
    "people": ("servings", "persons"),
    "percent": ("percentage", "level"),
    "person": ("who", "full name", "contact"),
    "phone": ("phone number", "tel"),
    "place": ("location", "where", "city"),
    "plate": ("car", "license plate"),
    "points": ("stars", "score"),
    "quantity": ("how many", "pieces"),
    "query": ("q", "search terms"),
    "reason": ("why", "explanation"),
    "reference": ("id", "code", "reference number"),
    "room": ("area", "room name"),
    "size": ("how large", "size class"),
    "source": ("from", "base"),
    "state": ("on or off", "power"),
    "subject": ("topic line", "headline"),
    "taken": ("minus", "subtracted"),
    "target": ("into", "to", "goal"),
    "task": ("work", "what to do"),
    "text": ("content", "body", "message"),
    "title": ("heading", "label"),
    "to": ("recipient", "receiver"),
    "topic": ("theme", "about"),
    "weight": ("kilos", "body weight"),
}
"""Slot to what its parameter can be called besides, in words."""


def _names_of(slot: str) -> tuple[str, ...]:
    return (slot, *PARAMETERS.get(slot, ()))


@cache
def _spellings_of(slot: str) -> frozenset[str]:
    return frozenset(spelled(name, style) for name in _names_of(slot) for style in ("snake", "camel"))


@cache
def _pattern(request: str, parameters: tuple[tuple[str, str], ...]) -> re.Pattern[str]:
    """What a request can be filled to."""
    pattern = re.escape(request)
    for slot, filler in parameters:
        is_text = schema_of(filler)["type"] == "string"
        pattern = pattern.replace(re.escape(f"{{{slot}}}"), ".+" if is_text else r"\S+")
    return re.compile(pattern, re.DOTALL)
