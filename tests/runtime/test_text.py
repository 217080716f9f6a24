"""The tokenizer and the chat template: equal to transformers', except that text stays text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from attar.runtime.errors import ArtifactError
from attar.runtime.text import CHATML, ChatTokenizer
from tests.conftest import CITIES
from tests.tiny import SPECIALS, train_tokenizer

TOKENIZER = train_tokenizer(CITIES)
CHAT = ChatTokenizer(train_tokenizer(CITIES))
PLAIN = st.text().filter(lambda text: not any(special in text for special in SPECIALS))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), PLAIN), min_size=1, max_size=4))
def test_a_chat_has_the_tokens_that_transformers_gives(turns: list[tuple[str, str]]) -> None:
    messages = [{"role": role, "content": content} for role, content in turns]
    reference = PreTrainedTokenizerFast(tokenizer_object=TOKENIZER)
    expected = reference.apply_chat_template(messages, chat_template=CHATML, add_generation_prompt=True)
    assert CHAT.encode_chat(messages) == expected  # type: ignore[arg-type]


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
