"""What every workflow can: be extended at any step, run, streamed and drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.graph import END, START

from attar.runtime import AgentState
from attar.runtime.agents.base import Branch, Workflow, finalize, process_input
from attar.runtime.errors import UsageError


def step(name: str) -> Callable[[AgentState], dict[str, Any]]:
    return lambda state: {"context": {**state["context"], "path": [*state["context"].get("path", []), name]}}


@pytest.fixture
def workflow() -> Workflow:
    """process_input -> left | right -> finalize, by the first word."""
    choose = Branch(lambda state: state["messages"][-1].text.split()[0], {"left": "left", "right": "right"})
    return Workflow(
        {"process_input": process_input, "left": step("left"), "right": step("right"), "finalize": finalize},
        [(START, "process_input"), ("left", "finalize"), ("right", "finalize"), ("finalize", END)],
        {"process_input": choose},
    )


def path(workflow: Workflow, query: str) -> list[str]:
    return list(workflow.run(query)["context"]["path"])


def test_nodes_run_in_the_order_of_adding_before_the_step_they_name(workflow: Workflow) -> None:
    workflow.add_node("first", step("first"))
    workflow.add_node("second", step("second"))
    workflow.add_node("left only", step("left only"), before="left")
    workflow.add_node("between", step("between"), before="second")
    workflow.add_node("earliest", step("earliest"), before="process_input")
    assert path(workflow, "left") == ["earliest", "left only", "left", "first", "between", "second"]
    assert path(workflow, "right") == ["earliest", "right", "first", "between", "second"]


def test_a_step_that_is_not_there_and_a_name_that_is_are_told(workflow: Workflow) -> None:
    with pytest.raises(UsageError, match="no node 'middle'") as error:
        workflow.add_node("mine", step("mine"), before="middle")
    assert "left, right, finalize" in str(error.value)
    with pytest.raises(UsageError, match="already"):
        workflow.add_node("left", step("left"))
    assert path(workflow, "left") == ["left"]


def test_a_node_added_after_a_run_is_in_the_next_one(workflow: Workflow) -> None:
    assert path(workflow, "left") == ["left"]
    workflow.add_node("mine", step("mine"))
    assert path(workflow, "left") == ["left", "mine"]


def test_updates_and_values_are_streamed_in_langgraphs_own_form(workflow: Workflow) -> None:
    updates = list(workflow.stream("right", {"given": 1}, stream_mode="updates"))
    assert [list(update) for update in updates] == [["process_input"], ["right"], ["finalize"]]
    modes = dict(workflow.stream("right", {"given": 1}, stream_mode=["updates", "values"]))
    assert modes["values"]["context"] == {"given": 1, "path": ["right"]}
    assert modes["values"]["current_task"] == "done"


def test_earlier_turns_come_before_the_query(workflow: Workflow) -> None:
    result = workflow.run("left", earlier=[HumanMessage("before"), AIMessage("answer")])
    assert [message.text for message in result["messages"]] == ["before", "answer", "left"]


def test_it_is_drawn_as_text(workflow: Workflow) -> None:
    workflow.add_node("mine", step("mine"))
    drawn = workflow.draw_mermaid()
    for edge in ("__start__ --> process_input", "process_input -.-> left", "right --> mine", "mine --> finalize"):
        assert f"\t{edge};" in drawn
