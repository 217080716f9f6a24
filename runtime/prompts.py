"""The prompts of each agent role, defined once, for training and for serving.

Hands on chat messages as plain ``{"role", "content"}`` dicts. Does not know tokens, models or tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

__all__ = ["NOT_FOUND", "Message", "answer_prompt", "record_text"]

NOT_FOUND = "I have no record that this question names."


class Message(TypedDict):
    """One turn of a chat: who speaks, and what is said."""

    role: str
    content: str


def record_text(label: str, entity: str, facts: Sequence[tuple[str, str]]) -> str:
    """A record as the model reads it: its name on the first line, then one ``column: value`` a line."""
    return "\n".join([f"{label}: {entity}", *(f"{name}: {value}" for name, value in facts)])


def answer_prompt(question: str, record: str | None) -> list[Message]:
    """The QA agent's prompt: the record, an empty line, the question."""
    content = question if record is None else f"{record}\n\n{question}"
    return [{"role": "user", "content": content}]
