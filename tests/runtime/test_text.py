"""The tokenizer and the chat template: equal to transformers', except that text stays text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from attar.runtime.errors import ArtifactError
from attar.runtime.prompts import Message, tool_call, tool_call_text
from attar.runtime.text import CHATML, ChatTokenizer
from tests.conftest import CITIES
from tests.tiny import SPECIALS, train_tokenizer

TOKENIZER = train_tokenizer(CITIES)
CHAT = ChatTokenizer(train_tokenizer(CITIES))
PLAIN = st.text().filter(lambda text: not any(special in text for special in SPECIALS))
VALUE = st.recursive(
    st.one_of(PLAIN, st.integers(-9, 10**12), st.floats(-9, 9), st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(PLAIN, inner, max_size=2)),
    max_leaves=3,
)
CALL = st.builds(tool_call, PLAIN, st.one_of(st.dictionaries(PLAIN, VALUE, max_size=2), PLAIN))
TURN = st.one_of(
    st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "assistant", "tool"]), "content": PLAIN}),
    st.fixed_dictionaries(
        {"role": st.just("assistant"), "content": PLAIN, "tool_calls": st.lists(CALL, min_size=1, max_size=2)}
    ),
)
TOOL = st.fixed_dictionaries(
    {
        "type": st.just("function"),
        "function": st.fixed_dictionaries({"name": PLAIN, "description": PLAIN, "parameters": VALUE}),
    }
)
FIRST_CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
"""The template before it knew tools."""


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), PLAIN), min_size=1, max_size=4))
def test_a_chat_has_the_tokens_that_transformers_gives(turns: list[tuple[str, str]]) -> None:
    messages = [{"role": role, "content": content} for role, content in turns]
    reference = PreTrainedTokenizerFast(tokenizer_object=TOKENIZER)
    expected = reference.apply_chat_template(messages, chat_template=CHATML, add_generation_prompt=True)
    assert CHAT.encode_chat(messages) == expected  # type: ignore[arg-type]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(TURN, min_size=1, max_size=5),
    st.lists(TOOL, max_size=3),
    st.booleans(),
)
def test_tools_calls_and_results_have_the_tokens_that_transformers_gives(
    turns: list[Message], tools: list[dict[str, Any]], prompt: bool
) -> None:
    reference = PreTrainedTokenizerFast(tokenizer_object=TOKENIZER)
    expected = reference.apply_chat_template(
        turns, tools=tools or None, chat_template=CHATML, add_generation_prompt=prompt
    )
    assert CHAT.encode_chat(turns, tools=tools, add_generation_prompt=prompt) == expected


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["system", "user", "assistant", "critic"]), PLAIN), min_size=1, max_size=4))
def test_without_tools_a_chat_is_what_it_always_was(turns: list[tuple[str, str]]) -> None:
    messages: list[Message] = [{"role": role, "content": content} for role, content in turns]
    before = ChatTokenizer(train_tokenizer(CITIES), FIRST_CHATML)
    for prompt in (True, False):
        for tools in (None, []):
            found = CHAT.encode_chat(messages, tools=tools, add_generation_prompt=prompt)
            assert found == before.encode_chat(messages, add_generation_prompt=prompt)


def test_a_chat_with_tools_looks_so() -> None:
    """Frozen: students are trained on it."""
    tool = {"type": "function", "function": {"name": "find_city", "parameters": {"type": "object"}}}
    messages: list[Message] = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Where is Évora?"},
        {"role": "assistant", "content": "", "tool_calls": [tool_call("find_city", {"name": "Évora"})]},
        {"role": "tool", "content": "Portugal"},
    ]
    text = CHAT.decode(CHAT.encode_chat(messages, tools=[tool]))
    assert text == (
        "system\nBe brief.\n\nYou can call these tools:\n<tools>\n"
        '[{"type": "function", "function": {"name": "find_city", "parameters": {"type": "object"}}}]\n</tools>\n'
        'A call is a JSON object in tags:\n<tool_call>\n{"name": tool, "arguments": {name: value}}\n</tool_call>\n'
        "user\nWhere is Évora?\n"
        f"assistant\n{tool_call_text('find_city', {'name': 'Évora'})}\n"
        "tool\n<tool_response>\nPortugal\n</tool_response>\n"
        "assistant\n"
    )


def test_several_calls_of_a_turn_stand_under_each_other_and_under_its_text() -> None:
    calls = [tool_call("a", {}), tool_call("b", {"x": [1, None]})]
    turn: Message = {"role": "assistant", "content": "Let me see.", "tool_calls": calls}
    text = CHAT.decode(CHAT.encode_chat([turn], add_generation_prompt=False))
    assert text == f"assistant\nLet me see.\n{tool_call_text('a', {})}\n{tool_call_text('b', {'x': [1, None]})}\n"


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_special_token_spelled_out_in_tools_calls_or_results_stays_text(data: st.DataObject) -> None:
    wild = st.lists(st.one_of(st.text(max_size=4), st.sampled_from([*SPECIALS, "\ue000", '"'])), max_size=5).map(
        "".join
    )
    text = data.draw(wild)
    name, key, value, told = (data.draw(wild) for _ in range(4))
    messages: list[Message] = [
        {"role": "user", "content": text},
        {"role": "assistant", "content": "", "tool_calls": [tool_call(name, {key: [value]})]},
        {"role": "tool", "content": told},
    ]
    tools = [{"type": "function", "function": {"name": name, "description": value, "parameters": {key: text}}}]
    ids = CHAT.encode_chat(messages, tools=tools)
    assert [i for i in ids if i in CHAT.special_ids.values()] == [1, 2, 1, 2, 1, 2, 1, 2, 1]
    shown = CHAT.decode(ids)
    assert f"user\n{text}\n" in shown
    assert tool_call_text(name, {key: [value]}) in shown
    assert f"<tool_response>\n{told}\n</tool_response>" in shown
    assert json.dumps(tools, ensure_ascii=False) in shown


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.text(max_size=5), st.sampled_from(SPECIALS)), max_size=6).map("".join))
def test_a_special_token_spelled_out_in_a_message_stays_text(content: str) -> None:
    ids = CHAT.encode_chat([{"role": "user", "content": content}])
    assert [i for i in ids if i in CHAT.special_ids.values()] == [1, 2, 1]
    assert CHAT.decode(ids) == f"user\n{content}\nassistant\n"


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_text_round_trips_and_streams_whole_characters(text: str) -> None:
    ids = CHAT.encode(text)
    assert CHAT.decode(ids) == text
    assert "".join(piece for _, piece in CHAT.decode_stream(ids)) == text


def test_a_folder_is_read_with_its_own_template(tmp_path: Path) -> None:
    TOKENIZER.save(str(tmp_path / "tokenizer.json"))
    assert ChatTokenizer.load(tmp_path).template == CHATML
    (tmp_path / "chat_template.jinja").write_text("{{ messages[0].content }}!")
    loaded = ChatTokenizer.load(tmp_path)
    assert loaded.decode(loaded.encode_chat([{"role": "user", "content": "hi"}])) == "hi!"


def test_a_folder_without_tokenizer_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="tokenizer can't be read") as caught:
        ChatTokenizer.load(tmp_path)
    assert caught.value.where == str(tmp_path / "tokenizer.json")


@pytest.mark.parametrize(
    "template",
    ["{{ ''.__class__.__mro__ }}", "{% for %}", "{{ messages.append(1) }}", "{{ raise_exception('no') }}"],
)
def test_a_hostile_or_broken_template_is_an_error(template: str) -> None:
    with pytest.raises(ArtifactError, match="template can't be rendered"):
        ChatTokenizer(TOKENIZER, template).encode_chat([{"role": "user", "content": "hi"}])
