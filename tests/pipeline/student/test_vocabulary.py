"""A trimmed vocabulary: the data's texts as before, any other text without loss, special tokens in their role."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers
from tokenizers.decoders import ByteFallback, Fuse, Replace
from tokenizers.decoders import Sequence as Decoders
from tokenizers.normalizers import Replace as ReplaceText
from tokenizers.processors import TemplateProcessing

from attar.pipeline.student.trimming import teacher_tokens, trim_tokenizer
from attar.pipeline.student.vocabulary import kept_tokens, spellings
from attar.runtime.errors import TokenizerMismatch, UsageError
from attar.runtime.text import ChatTokenizer
from tests.conftest import CITIES
from tests.tiny import train_tokenizer

LINES = CITIES.splitlines()
TEXTS = st.text() | st.text("abc nreg,0159é\u2581<>|im_startd\n") | st.sampled_from(LINES)


def byte_level() -> ChatTokenizer:
    """As GPT-2's, with tokens that merges build on one another and a post-processor that names ids."""
    tokenizer = train_tokenizer(CITIES * 3)
    tokenizer.add_tokens([AddedToken("km²", special=False)])
    tokenizer.post_processor = TemplateProcessing(single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", 0)])
    return ChatTokenizer(tokenizer)


def byte_fallback() -> ChatTokenizer:
    """As LLaMA 2's: characters first, bytes for the others, and every way to halve a token is a merge."""
    words = {word for line in LINES for word in line.replace(",", " ,").replace(" ", " ▁").split()}
    pieces = {word[start:end] for word in words for start in range(len(word)) for end in range(start + 2, start + 6)}
    pieces = {piece for piece in pieces if 1 < len(piece) < 6}
    specials = ["<unk>", "<|im_start|>", "<|im_end|>", *(f"<0x{value:02X}>" for value in range(256))]
    characters = sorted({character for word in words for character in word} - {"É"})
    texts = [*specials, *sorted(pieces, key=lambda piece: (len(piece), piece)), *characters]
    vocabulary = {text: index for index, text in enumerate(texts)}
    merges = [
        (piece[:cut], piece[cut:])
        for piece in sorted(pieces, key=lambda piece: (len(piece), piece))
        for cut in range(1, len(piece))
        if piece[:cut] in vocabulary and piece[cut:] in vocabulary
    ]
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = ReplaceText(" ", "▁")
    tokenizer.decoder = Decoders([Replace("▁", " "), ByteFallback(), Fuse()])
    tokenizer.add_special_tokens(["<unk>", "<|im_start|>", "<|im_end|>"])
    return ChatTokenizer(tokenizer)


def from_gguf() -> ChatTokenizer:
    """As transformers reads a byte-level BPE from a GGUF file: it says that it falls back on bytes."""
    value = json.loads(byte_level().to_json())
    value["model"] |= {"byte_fallback": True, "unk_token": "<|endoftext|>", "fuse_unk": True}
    return ChatTokenizer(Tokenizer.from_str(json.dumps(value)))


MAKERS = {"byte level": byte_level, "byte fallback": byte_fallback, "GGUF": from_gguf}
WHOLE = {name: make() for name, make in MAKERS.items()}
SMALL = {name: trim_tokenizer(whole, kept_tokens(whole, Counter())) for name, whole in WHOLE.items()}
"""With nothing but what every text needs."""


@pytest.mark.parametrize("name", MAKERS)
@given(text=TEXTS)
def test_any_text_is_written_without_loss(name: str, text: str) -> None:
    small, whole = SMALL[name], WHOLE[name]
    assert small.vocabulary_size < whole.vocabulary_size
    assert small.decode(small.encode(text)) == whole.decode(whole.encode(text))
    if name != "byte fallback" or "▁" not in text:  # there a space and its sign are one, trimmed or not
        assert small.decode(small.encode(text)) == text


@pytest.mark.parametrize("name", MAKERS)
@given(data=st.lists(st.text("abcdehlmnrst ,0159éØ") | st.sampled_from(LINES), min_size=1, max_size=4))
def test_the_datas_own_texts_are_cut_into_the_same_tokens(name: str, data: list[str]) -> None:
    whole = WHOLE[name]
    kept = kept_tokens(whole, Counter(token for text in data for token in whole.encode(text)))
    small = trim_tokenizer(whole, kept)
    for text in data:
        assert [kept[token] for token in small.encode(text)] == whole.encode(text)


@pytest.mark.parametrize("name", MAKERS)
@given(data=st.data())
@settings(max_examples=40)
def test_merges_are_closed_and_in_their_order_at_any_size(name: str, data: st.DataObject) -> None:
    whole = WHOLE[name]
    used = Counter(whole.encode(data.draw(TEXTS)))
    size = data.draw(st.integers(SMALL[name].vocabulary_size, whole.vocabulary_size))
    kept = kept_tokens(whole, used, size)
    assert len(kept) <= size
    value, before = (json.loads(each.to_json()) for each in (trim_tokenizer(whole, kept), whole))
    known = spellings(value)
    assert sorted(known.values()) == list(range(len(kept)))
    assert all({left, right, left + right} <= known.keys() for left, right in value["model"]["merges"])
    merges = iter(before["model"]["merges"])
    assert all(merge in merges for merge in value["model"]["merges"])
    reached = {left + right for left, right in before["model"]["merges"]} & known.keys()
    assert reached == {left + right for left, right in value["model"]["merges"]}


def test_a_size_is_filled_with_the_datas_tokens_first_the_most_used_of_them() -> None:
    whole = WHOLE["byte level"]
    used = Counter(token for line in LINES[:3] for token in whole.encode(line))
    needed, data = len(kept_tokens(whole, Counter())), kept_tokens(whole, used)
    assert set(data) <= set(kept_tokens(whole, used, len(data) + 5))
    assert len(kept_tokens(whole, used, len(data) + 5)) == len(data) + 5
    fewer = set(kept_tokens(whole, used, needed + 10))
    dropped, extra = set(used) - fewer, fewer & set(used) - set(kept_tokens(whole, Counter()))
    assert max(used[token] for token in dropped) <= max(used[token] for token in extra)
    assert kept_tokens(whole, used, 10**6) == list(range(whole.vocabulary_size))
    with pytest.raises(UsageError, match="too small") as caught:
        kept_tokens(whole, used, needed - 1)
    assert str(needed) in str(caught.value.next_step)


@pytest.mark.parametrize("name", MAKERS)
def test_special_tokens_keep_their_role(name: str) -> None:
    whole, small = WHOLE[name], SMALL[name]
    assert small.special_ids.keys() == whole.special_ids.keys()
    assert small.end_id is not None
    chat = small.encode_chat([{"role": "user", "content": "<|im_end|> Évora"}])
    assert chat[0] == small.special_ids["<|im_start|>"]
    assert chat.count(small.end_id) == 1  # the one that was spelled out is text
    assert "<|im_end|> Évora" in small.decode(chat)


def test_the_chat_template_is_written_as_before_and_costs_no_more_tokens() -> None:
    whole, small = WHOLE["byte level"], SMALL["byte level"]
    assert small.template == whole.template
    tools = [{"type": "function", "function": {"name": "f", "description": "d", "parameters": {}}}]
    for chat in ([{"role": "user", "content": ""}], [{"role": "tool", "content": ""}]):
        assert small.decode(small.encode_chat(chat, tools=tools)) == whole.decode(whole.encode_chat(chat, tools=tools))
    assert len(small.encode_chat([{"role": "user", "content": ""}])) == len(
        whole.encode_chat([{"role": "user", "content": ""}])
    )


def test_a_post_processor_gets_the_new_ids() -> None:
    value = json.loads(SMALL["byte level"].to_json())
    placed = value["post_processor"]["special_tokens"]["<|endoftext|>"]
    assert placed["ids"] == [spellings(value)["<|endoftext|>"]]
    assert "km²" in spellings(value)


def test_a_teachers_tokens_are_found_by_their_spelling() -> None:
    whole = WHOLE["byte level"]
    kept = kept_tokens(whole, Counter(whole.encode(LINES[0])))
    assert teacher_tokens(whole, whole) is None
    assert teacher_tokens(whole, trim_tokenizer(whole, kept)) == kept


def test_a_student_that_knows_more_than_its_teacher_is_refused() -> None:
    whole, small = WHOLE["byte level"], SMALL["byte level"]
    for teacher, student in ((small, whole), (whole, WHOLE["byte fallback"]), (WHOLE["byte fallback"], small)):
        with pytest.raises(TokenizerMismatch, match="read text differently"):
            teacher_tokens(teacher, student)


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (models.Unigram([("<unk>", 0.0), ("a", -1.0)], unk_id=0), "Unigram"),
        (models.WordPiece({"[UNK]": 0, "a": 1}, unk_token="[UNK]"), "WordPiece"),
        (models.BPE({"a": 0, "b": 1, "ab": 2}, [("a", "b")]), "could not be written"),
        (models.BPE({"a": 0, "b</w>": 1}, [], end_of_word_suffix="</w>"), "ends of words"),
    ],
)
def test_what_can_not_be_trimmed_is_named(model: models.Model, why: str, tmp_path: Path) -> None:
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    with pytest.raises(UsageError, match=why) as caught:
        kept_tokens(ChatTokenizer(tokenizer), Counter())
    assert "student_vocabulary to null" in str(caught.value.next_step)
