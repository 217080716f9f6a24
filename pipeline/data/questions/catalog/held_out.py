"""The tools of the test split: none of them, nor what they do, is in the training split.

They are always called the same, so that a score on them can be compared with earlier ones.
"""

from __future__ import annotations

from .tool import Tool

__all__ = ["HELD_OUT"]

HELD_OUT: tuple[Tool, ...] = (
    Tool("table", ("book table",), ("Reserve a table.",),
         ("Book a table for {guests} in the name of {name}.", "Reserve for {guests} people, under {name}."),
         {"name": "person", "guests": "count"}),
    Tool("maths", ("square root",), ("Take the square root of a number.",),
         ("Take the square root of {number}.", "Of {number}, give me the square root."), {"number": "number"}),
    Tool("notes", ("add note",), ("Keep a note.",), ("Note this: {text}", "Remember for me: {text}"), {"text": "text"}),
    Tool("travel", ("get directions",), ("Find the way to a place.",),
         ("How do I get to {destination}?", "Take me to {destination}."), {"destination": "entity"}),
    Tool("labels", ("label item",), ("Print a label.",),
         ("Print {copies} labels that say {text}.", "Make {copies} labels with {text} on them."),
         {"text": "cell", "copies": "count"}),
    Tool("device", ("get battery",), ("Tell how full the battery is.",),
         ("How full is my battery?", "Check the battery.")),
    Tool("home", ("lock doors",), ("Lock all doors.",),
         ("Lock up the house.", "Are all doors locked? If not, lock them.")),
    Tool("fun", ("tell joke",), ("Tell a joke.",), ("Make me laugh.", "I could do with a joke.")),
)  # fmt: skip
"""In an order that decides, with a seed, what is asked."""
