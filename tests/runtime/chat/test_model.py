"""``ChatOnnx`` as LangChain uses it: invoke, stream, async, batch, usage, stops, seeds."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessageChunk, HumanMessage, SystemMessage
from langchain_core.runnables import RunnableLambda
from pydantic import ValidationError

from attar.runtime import ChatOnnx
from attar.runtime.errors import BundleError, UsageError

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


CITIES = [[HumanMessage(f"city: {name}\n\nWhich country?")] for name in ("Aarhus", "Faro", "Ghent", "Évora", "Cork")]


@pytest.fixture
def steps(model: ChatOnnx, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many answers each step of the engine made a token for."""
    rows, widths = model.loaded.engine._scheduler._rows, list[int]()
    step = rows.step

    def counted(tokens: Sequence[int | None]) -> Any:
        widths.append(len(tokens))
        return step(tokens)

    monkeypatch.setattr(rows, "step", counted)
    return widths


@pytest.mark.parametrize("is_async", [False, True])
def test_a_batch_is_decoded_together_and_answers_as_single_calls_do(
    model: ChatOnnx, steps: list[int], is_async: bool
) -> None:
    alone = [model.invoke(each) for each in CITIES]
    assert set(steps) == {1}
    steps.clear()
    answers = asyncio.run(model.abatch(CITIES)) if is_async else model.batch(CITIES)
    assert [answer.text for answer in answers] == [answer.text for answer in alone]
    assert [answer.usage_metadata for answer in answers] == [answer.usage_metadata for answer in alone]
    assert steps == [len(CITIES)] * 11  # the first of 12 tokens comes with the prompt


def test_a_batch_decodes_no_more_together_than_is_allowed(model: ChatOnnx, steps: list[int]) -> None:
    answers = model.batch(CITIES, {"max_concurrency": 2})
    assert steps.count(2) == 2 * 11
    assert 1 <= len(steps) - 2 * 11 <= 11  # the fifth runs alone, where guesses at its tokens save steps
    steps.clear()
    assert [answer.text for answer in answers] == [answer.text for answer in model.batch(CITIES)]


def test_in_a_batch_a_stop_string_ends_its_answer_early(model: ChatOnnx, steps: list[int]) -> None:
    texts = [model.invoke(each).text for each in CITIES]
    stop = texts[0][1:3]
    expected = [model.invoke(each, stop=[stop]) for each in CITIES]
    steps.clear()
    answers = model.batch(CITIES, stop=[stop])
    assert [answer.text for answer in answers] == [answer.text for answer in expected]
    assert [answer.usage_metadata for answer in answers] == [answer.usage_metadata for answer in expected]
    assert steps[0] == len(CITIES) > steps[-1]


def test_in_a_batch_each_input_fails_and_is_told_of_for_itself(model: ChatOnnx) -> None:
    told = Told()
    inputs = [CITIES[0], [HumanMessage("x" * 5000)], CITIES[1]]
    first, error, last = model.batch(inputs, {"callbacks": [told]}, return_exceptions=True)
    assert isinstance(error, UsageError)
    assert [first.text, last.text] == [answer.text for answer in model.batch([CITIES[0], CITIES[1]])]
    assert told.events == ["start", "end", "start", "error", "start", "end"]
    with pytest.raises(UsageError, match="can't be answered"):
        model.batch(inputs)
    assert model.batch([]) == []


def test_a_chain_reaches_the_batch(model: ChatOnnx, steps: list[int]) -> None:
    chain = RunnableLambda(lambda name: f"city: {name}\n\nWhich country?") | model.bind(max_tokens=4)
    assert len(chain.batch(["Aarhus", "Faro", "Ghent"])) == 3
    assert steps == [3] * 3


class Told(BaseCallbackHandler):
    """What a tracer is told of runs."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
        self.events.append("start")

    def on_llm_end(self, *args: Any, **kwargs: Any) -> None:
        self.events.append("end")

    def on_llm_error(self, *args: Any, **kwargs: Any) -> None:
        self.events.append("error")


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
