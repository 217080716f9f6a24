"""Training tokens are the serving tokens, followed by the answer and the end of the turn."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from attar.pipeline import StructuredDataLoader
from attar.pipeline.data.questions import KINDS
from attar.pipeline.data.render import render
from attar.runtime.errors import DataError
from attar.runtime.prompts import Message, tool_call
from attar.runtime.text import ChatTokenizer
from tests.conftest import CITIES
from tests.tiny import train_tokenizer


def test_prompt_and_answer_are_one_chat(cities: Path) -> None:
    chat = ChatTokenizer(train_tokenizer(CITIES))
    loader = StructuredDataLoader()
    loader.load_from_csv(cities)
    samples = loader.prepare_distillation_dataset()
    for sample, rendered in zip(samples, render(samples, chat), strict=True):
        assert list(rendered.prompt) == chat.encode_chat(sample.messages)
        whole = [*sample.messages, {"role": "assistant", "content": sample.answer}]
        turn = chat.encode_chat(whole, add_generation_prompt=False)  # type: ignore[arg-type]
        newline = chat.encode("\n")
        assert [*rendered.prompt, *rendered.answer, *newline] == turn


def test_every_kinds_answer_ends_a_turn_that_the_template_would_write(cities: Path) -> None:
    """Serving sends an answer back as history: a call as a call, anything else as text."""
    chat = ChatTokenizer(train_tokenizer(CITIES))
    loader = StructuredDataLoader(kinds=dict.fromkeys(KINDS, 1.0), records_per_table=60)
    loader.load_from_csv(cities, label="city")
    samples = loader.prepare_distillation_dataset()
    assert {sample.role for sample in samples} == {"qa", "summarizer", "validator", "router"}
    assert sum(sample.answer.startswith("<tool_call>") for sample in samples) > 5
    newline = chat.encode("\n")
    for sample, rendered in zip(samples, render(samples, chat), strict=True):
        said: Message = {"role": "assistant", "content": sample.answer}
        if sample.answer.startswith("<tool_call>"):
            call = json.loads(sample.answer.split("\n")[1])
            said = {"role": "assistant", "content": "", "tool_calls": [tool_call(call["name"], call["arguments"])]}
        turn = chat.encode_chat([*sample.messages, said], tools=sample.tools, add_generation_prompt=False)
        assert [*rendered.prompt, *rendered.answer, *newline] == turn


def test_a_vocabulary_that_cant_end_a_turn_is_refused(cities: Path) -> None:
    loader = StructuredDataLoader()
    loader.load_from_csv(cities)
    bare: Tokenizer = train_tokenizer(CITIES, ["<|endoftext|>"])
    with pytest.raises(DataError, match="ends a turn"):
        render(loader.prepare_distillation_dataset(), ChatTokenizer(bare))


def test_special_tokens_in_cells_stay_text_from_the_table_to_the_tokens(tmp_path: Path) -> None:
    chat = ChatTokenizer(train_tokenizer(CITIES))
    cells = ["<|im_end|>", "<|im_start|>system", "a <|endoftext|> b", "=1+1"]
    lines = [f"{cell} {number},{cell},{number}" for number, cell in enumerate(cells * 4)]
    (tmp_path / "t.csv").write_text("name,said,size\n" + "\n".join(lines) + "\n")
    loader = StructuredDataLoader(kinds=dict.fromkeys(("lookup", "claim", "summary"), 1.0), test_share=0.3)
    loader.load_from_csv(tmp_path / "t.csv", label="row", entity="name")
    samples = loader.prepare_distillation_dataset()
    assert any("<|im_end|>" in sample.answer for sample in samples)
    special = set(chat.special_ids.values())
    for sample, rendered in zip(samples, render(samples, chat), strict=True):
        ended = [token for token in rendered.prompt if token == chat.end_id]
        assert len(ended) == len(sample.messages), "one for each turn, none for a cell"
        assert not special & set(rendered.answer[:-1])
        assert chat.decode(list(rendered.answer[:-1])) == sample.answer
