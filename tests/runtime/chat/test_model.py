"""``ChatOnnx`` as LangChain uses it: invoke, stream, async, batch, usage, stops, seeds."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
from langchain_core.messages import AIMessageChunk, HumanMessage, SystemMessage
from pydantic import ValidationError

from attar.runtime import ChatOnnx
from attar.runtime.errors import BundleError

QUESTION = [SystemMessage("Read."), HumanMessage("city: Aarhus\n\nWhich country?")]


@pytest.fixture
def model(bundle_folder: Path) -> ChatOnnx:
    return ChatOnnx(bundle=bundle_folder, max_tokens=12)


def test_an_answer_tells_its_usage_and_why_it_ended(model: ChatOnnx) -> None:
    answer = model.invoke(QUESTION)
    prompt = model.get_num_tokens_from_messages(QUESTION)
    assert answer.text
    assert answer.usage_metadata == {"input_tokens": prompt, "output_tokens": 12, "total_tokens": prompt + 12}
    assert answer.response_metadata["model_name"] == "tiny"
    assert answer.response_metadata["finish_reason"] == "length"


def test_streaming_gives_the_same_answer_in_pieces(model: ChatOnnx) -> None:
    chunks = list(model.stream(QUESTION))
    whole = sum(chunks[1:], chunks[0])
    assert isinstance(whole, AIMessageChunk)
    assert len(chunks) > 2
    assert whole.text == model.invoke(QUESTION).text
    assert [chunk for chunk in chunks if chunk.usage_metadata] == chunks[-1:]
    assert chunks[-1].chunk_position == "last"


def test_async_and_batch_give_the_same_answer(model: ChatOnnx) -> None:
    expected = model.invoke(QUESTION).text

    async def both() -> tuple[str, str]:
        pieces = [chunk.text async for chunk in model.astream(QUESTION)]
        return (await model.ainvoke(QUESTION)).text, "".join(pieces)

    assert asyncio.run(both()) == (expected, expected)
    assert [answer.text for answer in model.batch([QUESTION] * 3)] == [expected] * 3


def test_a_stop_string_ends_the_answer_unseen(model: ChatOnnx) -> None:
    text = model.invoke(QUESTION).text
    stop = text[len(text) // 2 :][:2]
    stopped = model.invoke(QUESTION, stop=[stop])
    assert stopped.text == text[: text.find(stop)]
    assert stopped.response_metadata["finish_reason"] == "stop"


def test_a_call_may_say_otherwise_than_the_constructor(model: ChatOnnx) -> None:
    assert model.invoke(QUESTION, max_tokens=3).usage_metadata["output_tokens"] == 3  # type: ignore[index]
    hot = [model.invoke(QUESTION, temperature=3.0, seed=seed).text for seed in (1, 1, 2)]
    assert hot[0] == hot[1] != hot[2]


def test_nothing_is_loaded_before_the_first_call() -> None:
    model = ChatOnnx(bundle="/nowhere", temperature=0.5)
    assert model._get_ls_params()["ls_model_name"] == "nowhere"
    with pytest.raises(BundleError, match="no bundle here"):
        model.invoke(QUESTION)


def test_models_on_one_bundle_share_an_engine_until_it_is_replaced(bundle_folder: Path, bundle_copy: Path) -> None:
    assert ChatOnnx(bundle=bundle_copy).loaded is ChatOnnx(bundle=bundle_copy).loaded
    before = ChatOnnx(bundle=bundle_copy).loaded
    shutil.rmtree(bundle_copy)
    shutil.copytree(bundle_folder, bundle_copy, copy_function=shutil.copyfile)
    assert ChatOnnx(bundle=bundle_copy).loaded is not before


def test_values_out_of_range_are_refused() -> None:
    with pytest.raises(ValidationError):
        ChatOnnx(bundle="x", temperature=-1)
    with pytest.raises(NotImplementedError):
        ChatOnnx(bundle="x").bind_tools([])
