"""Around a call: no tool where the record is there, and the turn after a tool's answer."""

from __future__ import annotations

import json

from attar.pipeline.data.questions import KINDS
from attar.runtime.prompts import NO_VALUE, tool_call_text
from tests.pipeline.data.questions.scenes import CORK, SCHEMA, ask, right


def test_with_the_record_in_the_prompt_the_answer_is_its_value() -> None:
    for question in ask("no_tool", CORK):
        assert question.tools
        assert not question.answer.startswith("<tool_call>")
        assert not right("no_tool", question, [CORK], tools=())


def test_without_the_record_the_tool_that_finds_it_is_called() -> None:
    asked = [question for seed in range(20) for question in ask("tool_lookup", CORK, seed=seed, count=2)]
    assert {question.answer for question in asked} == {tool_call_text("find_city", {"name": "Cork"})}
    assert {len(question.tools) for question in asked} == {1, 2, 3, 4}
    assert KINDS["tool_lookup"].record(asked[0], SCHEMA, [CORK]) == ""
    for wrong in (
        tool_call_text("find_city", {"name": "cork"}),
        tool_call_text("add_note", {"text": "Cork"}),
        "Ireland",
    ):
        assert not right("tool_lookup", asked[0], [CORK], answer=wrong)


def test_in_training_the_tool_that_finds_it_is_called_what_the_prompt_calls_it() -> None:
    asked = [question for seed in range(40) for question in ask("tool_lookup", CORK, seed=seed, count=1, split="train")]
    answers = {question.answer for question in asked}
    assert len(answers) >= 10
    for question in asked:
        assert not any(right("tool_lookup", question, [CORK], answer=other) for other in answers - {question.answer})
    kind, names = KINDS["tool_answer"], set()
    for seed in range(20):
        for question in ask("tool_answer", CORK, seed=seed, count=2, split="train"):
            (tool,), (turn, _) = question.tools, kind.turns(question, SCHEMA, [CORK])
            called = turn["tool_calls"][0]["function"]
            assert called["name"] == tool["function"]["name"]
            assert called["arguments"] == {tool["function"]["parameters"]["required"][0]: "Cork"}
            names.add(called["name"])
    assert len(names) >= 5


def test_what_a_tool_said_is_answered_from() -> None:
    kind = KINDS["tool_answer"]
    asked = [question for seed in range(30) for question in ask("tool_answer", CORK, seed=seed)]
    for question in asked:
        call, result = kind.turns(question, SCHEMA, [CORK])
        (tool,) = question.tools
        made = call["tool_calls"][0]["function"]
        assert (made["name"], made["arguments"]) == (tool["function"]["name"], {"name": "Cork"})
        assert (call["role"], result["role"]) == ("assistant", "tool")
        assert question.answer in result["content"] or question.answer == NO_VALUE
        if question.given["layout"] == "json":
            assert json.loads(result["content"])["city"] == "Cork"
    left_out = [q for q in asked if q.answer == NO_VALUE and q.columns != ("x",)]
    assert 0 < len(left_out) < len(asked) / 2
    assert kind.record(asked[0], SCHEMA, [CORK]) == ""
