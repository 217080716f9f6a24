"""LangChain messages to the plain turns that the chat template renders.

Does not know tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from langchain_core.messages import AIMessage, BaseMessage, ChatMessage, HumanMessage, SystemMessage, ToolMessage

from ..errors import UsageError
from ..prompts import Message, ToolCall, tool_call

__all__ = ["to_turns"]

_ROLES: tuple[tuple[type[BaseMessage], str], ...] = (
    (SystemMessage, "system"),
    (HumanMessage, "user"),
    (AIMessage, "assistant"),
    (ToolMessage, "tool"),
)


_CALLS = frozenset({"tool_use", "tool_call", "function_call", "invalid_tool_call"})
"""Parts of a message that say again what its tool calls say."""


def to_turns(messages: Sequence[BaseMessage]) -> list[Message]:
    """One turn for each message; text parts of a content list are joined.

    Calls of tools stand in their turn, those included whose arguments could not be read. An answer of a tool is
    told from others by its place only, so answers go in the order of their calls.

    Raises:
        UsageError: A message has no role here, or holds something other than text.
    """
    return [_turn(message) for message in _answers_in_order(messages)]


def _turn(message: BaseMessage) -> Message:
    turn: Message = {"role": _role(message), "content": _text(message)}
    if isinstance(message, AIMessage) and (calls := _calls(message)):
        turn["tool_calls"] = calls
    return turn


def _calls(message: AIMessage) -> list[ToolCall]:
    made = [tool_call(call["name"], call["args"]) for call in message.tool_calls]
    return made + [tool_call(call["name"] or "", call["args"] or "") for call in message.invalid_tool_calls]


def _answers_in_order(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """The messages, with the answers to several calls of one message in the order of the calls."""
    ordered: list[BaseMessage] = []
    places: dict[str | None, int] = {}
    for is_answer, run in groupby(messages, key=lambda message: isinstance(message, ToolMessage)):
        if is_answer:
            ordered += sorted(run, key=lambda message: places.get(getattr(message, "tool_call_id", None), len(places)))
            continue
        ordered += run
        last = ordered[-1]
        calls = [*last.tool_calls, *last.invalid_tool_calls] if isinstance(last, AIMessage) else []
        places = {call["id"]: place for place, call in enumerate(calls)}
    return ordered


def _role(message: BaseMessage) -> str:
    if isinstance(message, ChatMessage):
        return message.role
    for kind, role in _ROLES:
        if isinstance(message, kind):
            return role
    raise UsageError(
        f"A {type(message).__name__} has no place in a prompt.",
        next_step="Send system, human, AI and tool messages.",
    )


def _text(message: BaseMessage) -> str:
    if isinstance(message.content, str):
        return message.content
    calls = _CALLS if isinstance(message, AIMessage) else frozenset()
    for part in message.content:
        if isinstance(part, dict) and part.get("type") != "text" and part.get("type") not in calls:
            raise UsageError(
                f"A message holds a part of type {part.get('type')!r}; the student reads text only.",
                next_step="Send text, or describe the rest in words.",
            )
    return str(message.text)
