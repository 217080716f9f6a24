"""Calls of tools: the right tool, arguments as the query says them, definitions never seen kept for the test."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attar.pipeline.data.questions import KINDS, Question
from attar.pipeline.data.questions.catalog import TOOLS
from attar.runtime.prompts import tool_call_text
from tests.pipeline.data.questions.scenes import CORK, ask, right, scene

KINDS_OF_CALL = ("tool_call", "tool_choice", "tool_without_arguments")


def asked(kind: str) -> list[Question]:
    return [q for split in ("train", "test") for seed in range(40) for q in ask(kind, CORK, seed=seed, split=split)]


def call(question: Question) -> dict[str, object]:
    return dict(json.loads(question.answer.split("\n")[1]))


def takes_of(tool: Mapping[str, Any]) -> list[str]:
    return [*tool["function"]["parameters"]["properties"]]


@pytest.mark.parametrize("kind", KINDS_OF_CALL)
def test_the_call_is_of_an_offered_tool_and_copies_the_query(kind: str) -> None:
    for question in asked(kind):
        made = call(question)
        tools = {tool["function"]["name"]: tool["function"]["parameters"]["properties"] for tool in question.tools}
        arguments = made["arguments"]
        assert isinstance(arguments, dict)
        assert arguments.keys() == tools[made["name"]].keys()
        assert all(str(value) in question.text for value in arguments.values())
        assert bool(arguments) == (kind != "tool_without_arguments")
        assert (len(tools) == 1) == (kind == "tool_call")


def test_arguments_are_numbers_names_other_scripts_and_emoji() -> None:
    text = "\n".join(question.answer for question in asked("tool_choice"))
    assert any(letter in text for letter in "明日请新下") and "\\u" not in text
    assert any(emoji in text for emoji in "🎉🎂✈🔑")
    assert '\\"' in text, "quotes are quoted"
    values = [value for q in asked("tool_call") for value in dict(call(q)["arguments"]).values()]  # type: ignore[call-overload]
    assert {type(value) for value in values} == {str, int, float}
    assert "Cork" in values


def test_another_tool_other_arguments_and_broken_json_are_wrong() -> None:
    question = ask("tool_choice", CORK, count=1, split="train")[0]
    made = call(question)
    arguments = dict(made["arguments"])  # type: ignore[call-overload]
    others = [tool["function"]["name"] for tool in question.tools if tool["function"]["name"] != made["name"]]
    name = next(iter(arguments))
    for wrong in (
        *(tool_call_text(other, arguments) for other in others),
        tool_call_text(str(made["name"]), {}),
        tool_call_text(str(made["name"]), {**arguments, "more": 1}),
        tool_call_text(str(made["name"]), {**arguments, name: "nothing of the kind"}),
        question.answer.replace("}", "", 1),
        question.answer.removesuffix("\n</tool_call>"),
        str(made),
        "",
    ):
        assert not right("tool_choice", question, [CORK], answer=wrong)


def test_a_number_has_the_type_that_the_tool_names() -> None:
    question = next(q for q in asked("tool_call") if call(q)["name"] == "square_root")
    number = dict(call(question)["arguments"])["number"]  # type: ignore[call-overload]
    assert not right("tool_call", question, [CORK], answer=tool_call_text("square_root", {"number": str(number)}))


def test_the_same_request_is_answered_by_the_names_that_the_prompt_has() -> None:
    timer = next(tool for tool in TOOLS["train"] if tool.names[0] == "set timer")
    form = f"tool_call.train.{KINDS['tool_call'].forms['train'].index(timer.requests[0])}"
    answers = {}
    for seed in range(40):
        offer = timer.drawn("camel", random.Random(seed))
        answer = tool_call_text(offer.name, offer.arguments({"minutes": 12}))
        answers[answer] = Question("Set a timer for 12 minutes.", answer, form, tools=[offer.definition])
    assert len(answers) >= 6
    for question in answers.values():
        assert [right("tool_call", question, [CORK], answer=answer) for answer in answers].count(True) == 1
        assert right("tool_call", question, [CORK])


def test_a_definition_that_no_tool_of_the_split_has_is_refused() -> None:
    question = ask("tool_choice", CORK, count=1, split="train")[0]
    for split, definition in (("train", TOOLS["test"][0].plain.definition), ("test", question.tools[0])):
        other = ask("tool_choice", CORK, count=1, split=split)[0]
        assert not right("tool_choice", other, [CORK], tools=[*other.tools, definition])
    assert not right("tool_choice", question, [CORK], tools=[*question.tools, question.tools[0]])


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(KINDS_OF_CALL), st.sampled_from(("train", "test")), st.integers(), st.booleans())
def test_any_call_is_right_and_one_of_another_offered_tool_is_not(kind: str, split: str, seed: int, own: bool) -> None:
    made = replace(scene(CORK, split=split), shared=None if own or split == "test" else f"{seed}")
    questions = KINDS[kind].generate(made, None, random.Random(seed))
    assert questions == KINDS[kind].generate(made, None, random.Random(seed))
    for question in questions:
        assert right(kind, question, [CORK])
        made_call, takes = call(question), {tool["function"]["name"]: takes_of(tool) for tool in question.tools}
        arguments = dict(made_call["arguments"])  # type: ignore[call-overload]
        swapped = dict(zip(arguments, [*arguments.values()][::-1], strict=True))
        answer = tool_call_text(str(made_call["name"]), swapped)
        assert right(kind, question, [CORK], answer=answer) == (swapped == arguments)
        for other in takes.keys() - {made_call["name"]}:
            renamed = dict(zip(takes[other], arguments.values(), strict=False))
            for wrong in (arguments, renamed):
                assert not right(kind, question, [CORK], answer=tool_call_text(other, wrong))
