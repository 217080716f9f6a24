"""The prompts of each agent role, defined once, for training and for serving.

Hands on chat messages as plain ``{"role", "content"}`` dicts, the words that roles answer with, a call of a tool,
and a record's text, written and read. Does not know tokens, models or tables.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

__all__ = [
    "CHECKS",
    "NOT_FOUND",
    "NO_VALUE",
    "ROUTES",
    "CalledFunction",
    "Message",
    "ToolCall",
    "answer_prompt",
    "check_prompt",
    "claim_text",
    "read_record",
    "record_text",
    "route_prompt",
    "summary_prompt",
    "tool_call",
    "tool_call_text",
]

NOT_FOUND = "I have no record that this question names."
NO_VALUE = "not recorded"
"""What stands for a value that a record has not."""
CHECKS = ("supported", "contradicted", "not in the records")
"""What a Validator says."""
ROUTES = ("qa", "summarizer", "validator")
"""Whom a router names."""


class CalledFunction(TypedDict):
    """Which function is called, and with what; arguments that could not be read are text."""

    name: str
    arguments: Mapping[str, Any] | str


class ToolCall(TypedDict):
    """A call of a tool, as chat templates read it."""

    type: str
    function: CalledFunction


class Message(TypedDict):
    """One turn of a chat: who speaks, what is said, and which tools are called."""

    role: str
    content: str
    tool_calls: NotRequired[list[ToolCall]]


def record_text(label: str, entity: str, facts: Sequence[tuple[str, str]]) -> str:
    """A record as the model reads it: its name on the first line, then a column, a tab and its value on each.

    What stands behind the tab is what an answer begins with, token by token. Behind a space a word is another token
    than at the beginning of a line, and which is which would have to be learned word by word.
    """
    return "\n".join(f"{name}\t{value}" for name, value in ((label, entity), *facts))


def read_record(text: str) -> tuple[str, str, list[tuple[str, str]]] | None:
    """Label, entity and facts of what :func:`record_text` wrote, or of ``column: value`` lines as people write them.

    None where a line is neither.
    """
    pairs = [pair for line in text.splitlines() if (pair := _pair(line))]
    if not pairs or len(pairs) < len(text.splitlines()):
        return None
    (label, entity), *facts = pairs
    return label, entity, facts


def answer_prompt(question: str, record: str | None) -> list[Message]:
    """The QA agent's prompt: the record, an empty line, the question."""
    content = question if record is None else f"{record}\n\n{question}"
    return [{"role": "user", "content": content}]


def summary_prompt(text: str) -> list[Message]:
    """The Summarizer's prompt: one record, several with an empty line between them, or any text."""
    return _asked(text, "Summarize this in one or two sentences.")


def check_prompt(claim: str, record: str) -> list[Message]:
    """The Validator's prompt; the answer is one of :data:`CHECKS`."""
    return _asked(record, f"Claim: {claim}\nSupported, contradicted, or not in the records?")


def claim_text(column: str, entity: str, value: str) -> str:
    """One fact as a claim."""
    return f"The {column} of {entity} is {value}."


def route_prompt(query: str) -> list[Message]:
    """A router's prompt, for students that were trained to route; the answer is one of :data:`ROUTES`."""
    return _asked(query, "Who is this for: qa, summarizer or validator?")


def tool_call(name: str, arguments: Mapping[str, Any] | str) -> ToolCall:
    """A call as a turn's ``tool_calls`` hold it."""
    return {"type": "function", "function": {"name": name, "arguments": arguments}}


def tool_call_text(name: str, arguments: Mapping[str, Any]) -> str:
    """A call as the model writes it, and as the chat template writes a turn's ``tool_calls``."""
    call = json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False)
    return f"<tool_call>\n{call}\n</tool_call>"


def _pair(line: str) -> tuple[str, str] | None:
    """A line's column and value."""
    for between in ("\t", ": "):
        name, found, value = line.partition(between)
        if found:
            return name, value
    return None


def _asked(text: str, request: str) -> list[Message]:
    return [{"role": "user", "content": f"{text}\n\n{request}"}]
