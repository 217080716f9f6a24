"""LangChain messages become plain turns, or an error that says why not."""

from __future__ import annotations

import pytest
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)

from attar.runtime.chat.messages import to_turns
from attar.runtime.errors import UsageError


def test_each_kind_has_its_role() -> None:
    messages: list[BaseMessage] = [
        SystemMessage("s"),
        HumanMessage([{"type": "text", "text": "h"}]),
        AIMessage("a"),
        ToolMessage("t", tool_call_id="1"),
        ChatMessage("c", role="critic"),
    ]
    assert [(turn["role"], turn["content"]) for turn in to_turns(messages)] == [
        ("system", "s"),
        ("user", "h"),
        ("assistant", "a"),
        ("tool", "t"),
        ("critic", "c"),
    ]


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(UsageError, match="image"):
        to_turns([HumanMessage([{"type": "image", "url": "x"}])])
    with pytest.raises(UsageError, match="RemoveMessage"):
        to_turns([RemoveMessage(id="1")])
