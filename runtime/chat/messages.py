"""LangChain messages to the plain turns that the chat template renders.

Does not know tokens.
"""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import AIMessage, BaseMessage, ChatMessage, HumanMessage, SystemMessage, ToolMessage

from ..errors import UsageError
from ..prompts import Message

__all__ = ["to_turns"]

_ROLES: tuple[tuple[type[BaseMessage], str], ...] = (
    (SystemMessage, "system"),
    (HumanMessage, "user"),
    (AIMessage, "assistant"),
    (ToolMessage, "tool"),
)


def to_turns(messages: Sequence[BaseMessage]) -> list[Message]:
    """One turn for each message; text parts of a content list are joined.

    Raises:
        UsageError: A message has no role here, or holds something other than text.
    """
    return [{"role": _role(message), "content": _text(message)} for message in messages]


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
    for part in message.content:
        if isinstance(part, dict) and part.get("type") != "text":
            raise UsageError(
                f"A message holds a part of type {part.get('type')!r}; the student reads text only.",
                next_step="Send text, or describe the rest in words.",
            )
    return str(message.text)
