"""Tools that a student learns to call: what they are called, what they take, and how people ask for them.

The test split has tools of its own, so that a score on it measures reading of definitions. Values come from the
row and from what stands here: names, places and texts, some of them in other scripts and with emoji, and numbers.
Does not know prompts.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..schema import written
from .kind import Scene

__all__ = ["BARE", "TOOLS", "Tool", "fill", "record_tool", "shared_tools"]


@dataclass(frozen=True)
class Tool:
    """A tool, and how people ask for it.

    Attributes:
        name: Its name.
        about: What it does.
        parameters: Name to what fills it, a key of :data:`_FILLERS`; all are required.
        requests: Queries that ask for it, with a slot for each parameter; they begin with a word of their own.
    """

    name: str
    about: str
    parameters: Mapping[str, str]
    requests: tuple[str, ...]

    @property
    def definition(self) -> dict[str, Any]:
        """The tool as the chat template reads it."""
        properties = {name: {"type": _TYPES.get(filler, "string")} for name, filler in self.parameters.items()}
        parameters = {"type": "object", "properties": properties, "required": list(properties)}
        function = {"name": self.name, "description": self.about, "parameters": parameters}
        return {"type": "function", "function": function}


def fill(tool: Tool, scene: Scene, rng: random.Random) -> dict[str, Any]:
    """Arguments for a tool."""
    return {name: _FILLERS[filler](scene, rng) for name, filler in tool.parameters.items()}


def record_tool(label: str) -> Tool:
    """The tool that looks up one record of a table; it is asked for by a question on the record."""
    word = re.sub(r"[^a-z0-9]+", "_", label.casefold()).strip("_") or "record"
    about = f"Find a record of the kind {label} by its name."
    return Tool(f"find_{word}"[:_LONGEST_NAME], about, {"name": "entity"}, ())


def shared_tools(scene: Scene) -> list[Tool]:
    """The tools that every kind offers on a scene: some of each sort; none where each kind takes its own."""
    if scene.shared is None:
        return []
    chance = random.Random(f"{scene.shared}:tools")
    taking = chance.sample(TOOLS[scene.split], chance.randint(1, 2))
    bare = chance.sample(BARE[scene.split], chance.randint(1, 2))
    offered = [*taking, *bare, record_tool(scene.schema.label)]
    return chance.sample(offered, len(offered))


_LONGEST_NAME = 64

_TYPES = {"count": "integer", "minutes": "integer", "number": "number", "amount": "number"}
"""JSON type of what a filler gives, where it is no text."""

_PEOPLE = {
    "train": (
        "Anna",
        "Kofi Mensah",
        "José Álvarez",
        "李娜",
        "Zoë",
        "Ngozi Okafor",
        "Søren",
        "田中さん",
        "Olga P.",
        "Raj",
    ),
    "test": ("Miriam", "Łukasz", "王芳", "Chidi Eze", "François", "佐藤さん"),
}
_TEXTS = {
    "train": (
        "see you at 8",
        "the report is ready 🎉",
        "明日の会議は10時です",
        "running 15 minutes late, sorry!",
        "happy birthday 🎂🥳",
        "请带上护照",
        'she said "yes"',
        "room 4.12, second floor",
        "안녕하세요 👋",
        "prices went up by 3.5%",
    ),
    "test": (
        "meet me at gate 12 ✈️",
        "新しい住所をお知らせします",
        "don't forget the keys 🔑",
        "the total is 1,250.80",
        "下周见",
        'call it "Plan B"',
    ),
}
_CODES = ("EUR", "USD", "JPY", "DKK", "GBP", "INR", "BRL", "CHF")
_LANGUAGES = ("Danish", "Japanese", "Spanish", "Swahili", "German", "Korean")

TOOLS: Mapping[str, Sequence[Tool]] = {
    "train": (
        Tool("get_weather", "Tell the weather in a place.", {"place": "entity"},
             ("What is the weather like in {place}?", "Will it rain today in {place}?")),
        Tool("send_message", "Send a message to a person.", {"to": "person", "text": "text"},
             ("Send {to} this message: {text}", "Write to {to}: {text}")),
        Tool("convert_currency", "Convert money.", {"amount": "amount", "source": "code", "target": "code"},
             ("Convert {amount} {source} to {target}.", "How much is {amount} {source} in {target}?")),
        Tool("set_timer", "Start a timer.", {"minutes": "minutes"},
             ("Set a timer for {minutes} minutes.", "Wake me in {minutes} minutes.")),
        Tool("add_numbers", "Add two numbers.", {"a": "number", "b": "number"},
             ("Add {a} and {b}.", "What do {a} and {b} make together?")),
        Tool("search_web", "Search the web.", {"query": "cell"},
             ("Search the web for {query}.", "Google {query} for me.")),
        Tool("create_event", "Put an event into the calendar.", {"title": "text", "guests": "count"},
             ("Create an event for {guests} guests with the title: {title}", "Plan for {guests} guests: {title}")),
        Tool("translate", "Translate a text.", {"language": "language", "text": "text"},
             ("Translate into {language}: {text}", "How do you say this in {language}: {text}")),
        Tool("order", "Order something.", {"item": "cell", "quantity": "count"},
             ("Order {quantity} of {item}.", "I want to buy {quantity} times {item}.")),
        Tool("phone", "Call a person by phone.", {"name": "person"},
             ("Call {name}.", "Get me {name} on the phone.")),
    ),
    "test": (
        Tool("book_table", "Reserve a table.", {"name": "person", "guests": "count"},
             ("Book a table for {guests} in the name of {name}.", "Reserve for {guests} people, under {name}.")),
        Tool("square_root", "Take the square root of a number.", {"number": "number"},
             ("Take the square root of {number}.", "Of {number}, give me the square root.")),
        Tool("add_note", "Keep a note.", {"text": "text"},
             ("Note this: {text}", "Remember for me: {text}")),
        Tool("get_directions", "Find the way to a place.", {"destination": "entity"},
             ("How do I get to {destination}?", "Take me to {destination}.")),
        Tool("label_item", "Print a label.", {"text": "cell", "copies": "count"},
             ("Print {copies} labels that say {text}.", "Make {copies} labels with {text} on them.")),
    ),
}  # fmt: skip
"""Split to the tools that take arguments."""

BARE: Mapping[str, Sequence[Tool]] = {
    "train": (
        Tool("get_time", "Tell the time.", {}, ("What time is it?", "Can you tell me the time?")),
        Tool("list_files", "List all files.", {}, ("Which files are there?", "Show me all my files.")),
        Tool("stop_music", "Stop the music.", {}, ("Stop the music.", "Please turn the song off.")),
        Tool("get_location", "Tell where the user is.", {}, ("Where am I?", "Find out my location.")),
        Tool("roll_dice", "Roll the dice.", {}, ("Roll the dice.", "Throw a die for me.")),
        Tool("take_screenshot", "Take a picture of the screen.", {}, ("Take a screenshot.", "Capture my screen.")),
    ),
    "test": (
        Tool("get_battery", "Tell how full the battery is.", {}, ("How full is my battery?", "Check the battery.")),
        Tool("lock_doors", "Lock all doors.", {}, ("Lock up the house.", "Are all doors locked? If not, lock them.")),
        Tool("tell_joke", "Tell a joke.", {}, ("Make me laugh.", "I could do with a joke.")),
    ),
}
"""Split to the tools that take none."""


def _cell(scene: Scene, rng: random.Random) -> str:
    """A value of the row, as text."""
    values = [value for _, value in scene.schema.facts_of(scene.row) if len(value) <= _LONGEST_CELL]
    return rng.choice(values) if values else scene.entity


def _number(scene: Scene, rng: random.Random) -> int | float:
    """A number of the row, or any; as it is written."""
    own = [value for value in scene.row.values() if isinstance(value, int | float) and not isinstance(value, bool)]
    exact = [value for value in own if written(value) == repr(value)]
    if exact and rng.random() < 0.5:
        return rng.choice(exact)
    return rng.randint(-999, 99_999) if rng.random() < 0.5 else _amount(scene, rng)


def _amount(scene: Scene, rng: random.Random) -> float:
    return (rng.randint(1, 99_999) * 10 + rng.randint(1, 9)) / 1000


_LONGEST_CELL = 60
_FILLERS: Mapping[str, Callable[[Scene, random.Random], Any]] = {
    "entity": lambda scene, rng: scene.entity,
    "cell": _cell,
    "person": lambda scene, rng: rng.choice(_PEOPLE[scene.split]),
    "text": lambda scene, rng: rng.choice(_TEXTS[scene.split]),
    "code": lambda scene, rng: rng.choice(_CODES),
    "language": lambda scene, rng: rng.choice(_LANGUAGES),
    "count": lambda scene, rng: rng.randint(2, 250),
    "minutes": lambda scene, rng: rng.randint(2, 120),
    "number": _number,
    "amount": _amount,
}
