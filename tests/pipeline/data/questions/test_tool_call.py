"""Calls of tools: the right tool, arguments as the query says them, definitions never seen kept for the test."""

from __future__ import annotations

import json

import pytest

from attar.pipeline.data.questions import Question
from attar.pipeline.data.questions.catalog import BARE, TOOLS
from attar.runtime.prompts import tool_call_text
from tests.pipeline.data.questions.scenes import CORK, ask, right

KINDS_OF_CALL = ("tool_call", "tool_choice", "tool_without_arguments")


def asked(kind: str) -> list[Question]:
    return [q for split in ("train", "test") for seed in range(40) for q in ask(kind, CORK, seed=seed, split=split)]


def call(question: Question) -> dict[str, object]:
    return dict(json.loads(question.answer.split("\n")[1]))


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


def test_no_tool_and_no_text_is_in_both_splits() -> None:
    for catalog in (TOOLS, BARE):
        names = {split: {tool.name for tool in tools} for split, tools in catalog.items()}
        assert not names["train"] & names["test"]
        assert len({tool.name for tools in catalog.values() for tool in tools}) == sum(map(len, catalog.values()))


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
    question = next(q for q in asked("tool_call") if call(q)["name"] == "set_timer")
    minutes = dict(call(question)["arguments"])["minutes"]  # type: ignore[call-overload]
    assert not right("tool_call", question, [CORK], answer=tool_call_text("set_timer", {"minutes": str(minutes)}))
