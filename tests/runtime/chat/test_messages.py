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
from attar.runtime.prompts import tool_call, tool_call_text
from attar.runtime.text import ChatTokenizer
from tests.conftest import CITIES
from tests.tiny import train_tokenizer


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


def test_calls_stand_in_their_turn_those_included_that_could_not_be_read() -> None:
    message = AIMessage(
        [{"type": "text", "text": "Let me see."}, {"type": "tool_use", "id": "1", "name": "find", "input": {}}],
        tool_calls=[{"name": "find", "args": {"name": "東京 🗼"}, "id": "1"}],
        invalid_tool_calls=[{"name": "find", "args": '{"name": ', "id": "2", "error": "broken"}],
    )
    (turn,) = to_turns([message])
    assert turn["content"] == "Let me see."
    assert turn["tool_calls"] == [tool_call("find", {"name": "東京 🗼"}), tool_call("find", '{"name": ')]
    assert "tool_calls" not in to_turns([AIMessage("no call")])[0]


def test_answers_of_tools_come_in_the_order_of_the_calls() -> None:
    calls = [{"name": "find", "args": {"n": number}, "id": str(number), "type": "tool_call"} for number in (1, 2)]
    asked = [HumanMessage("q"), AIMessage("", tool_calls=calls)]
    answers = [ToolMessage("two", tool_call_id="2"), ToolMessage("stray", tool_call_id="9")]
    turns = to_turns([*asked, *answers, ToolMessage("one", tool_call_id="1"), HumanMessage("and?")])
    assert [turn["content"] for turn in turns] == ["q", "", "one", "two", "stray", "and?"]


def test_a_call_and_its_answer_are_rendered_as_hermes_has_them() -> None:
    call = AIMessage("", tool_calls=[{"name": "find", "args": {"name": "Cork"}, "id": "1"}])
    chat = ChatTokenizer(train_tokenizer(CITIES))
    text = chat.decode(chat.encode_chat(to_turns([call, ToolMessage("Ireland", tool_call_id="1")])))
    assert text == (
        f"assistant\n{tool_call_text('find', {'name': 'Cork'})}\n"
        "tool\n<tool_response>\nIreland\n</tool_response>\nassistant\n"
    )


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(UsageError, match="image"):
        to_turns([HumanMessage([{"type": "image", "url": "x"}])])
    with pytest.raises(UsageError, match="tool_use"):
        to_turns([HumanMessage([{"type": "tool_use", "id": "1"}])])
    with pytest.raises(UsageError, match="RemoveMessage"):
        to_turns([RemoveMessage(id="1")])
