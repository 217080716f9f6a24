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
    "record_line",
    "record_text",
    "restated",
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
    """A record as the model reads it: its name on the first line, then one ``column:value`` a line.

    No space stands before a value, so that it is the answer's very tokens: behind a space a word is another token than
    at the beginning of a line, and which is which would have to be learned word by word.
    """
    return "\n".join(record_line(name, value) for name, value in ((label, entity), *facts))


def record_line(column: str, value: str) -> str:
    """One value of a record; behind a tab where the column's name has a colon itself."""
    return f"{column}\t{value}" if ":" in column else f"{column}:{value}"


def read_record(text: str) -> tuple[str, str, list[tuple[str, str]]] | None:
    """Label, entity and facts of what :func:`record_text` wrote, or of ``column: value`` lines as people write them.

    None where a line is neither.
    """
    pairs = [line.partition("\t" if "\t" in line else ":") for line in text.splitlines()]
    if not pairs or not all(between for _, between, _ in pairs):
        return None
    (label, entity), *facts = [(name, value.lstrip(" ")) for name, _, value in pairs]
    return label, entity, facts


def restated(text: str) -> str:
    """A record as people write it, as :func:`record_text` would have; any other text as it is."""
    record = read_record(text)
    return record_text(*record) if record else text


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


def _asked(text: str, request: str) -> list[Message]:
    return [{"role": "user", "content": f"{text}\n\n{request}"}]
