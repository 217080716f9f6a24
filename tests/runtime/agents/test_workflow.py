"""process_input -> generate_response -> finalize, and nodes of one's own before finalize."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver

from attar.runtime import AgenticWorkflow, AgentState, ChatOnnx
from attar.runtime.errors import UsageError


@pytest.fixture
def workflow(bundle_folder: Path) -> AgenticWorkflow:
    return AgenticWorkflow(ChatOnnx(bundle=bundle_folder, max_tokens=6))


def test_a_run_ends_with_the_answer(workflow: AgenticWorkflow) -> None:
    result = workflow.run(query="Which country is Aarhus in?")
    assert [type(message) for message in result["messages"]] == [HumanMessage, AIMessage]
    assert result["results"]["answer"] == result["messages"][-1].text
    assert result["current_task"] == "done"
    assert result["context"]["record"].startswith("city:Aarhus")


def test_an_added_node_sees_the_answer_and_runs_before_finalize(workflow: AgenticWorkflow) -> None:
    seen: list[str] = []

    def shout(state: AgentState) -> dict[str, Any]:
        seen.append(state["current_task"])
        return {"messages": [AIMessage(state["results"]["answer"].upper() + "!")]}

    workflow.run(query="Aarhus?")
    workflow.add_node("shout", shout)
    result = workflow.run(query="Which country is Aarhus in?")
    assert seen == ["answer"]
    assert result["messages"][-1].text == result["results"]["answer"].upper() + "!"
    assert list(workflow.graph.get_graph().nodes)[1:-1] == ["process_input", "generate_response", "shout", "finalize"]


@pytest.mark.parametrize("name", ["finalize", "generate_response", "mine"])
def test_a_name_can_be_taken_once(workflow: AgenticWorkflow, name: str) -> None:
    workflow.add_node("mine", lambda state: {})
    with pytest.raises(UsageError, match="already"):
        workflow.add_node(name, lambda state: {})


def test_an_empty_query_is_refused(workflow: AgenticWorkflow) -> None:
    with pytest.raises(UsageError, match="empty"):
        workflow.run(query="  ")


def test_the_graph_takes_a_checkpointer_and_streams_tokens(workflow: AgenticWorkflow) -> None:
    graph = workflow.builder().compile(checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "1"}}
    state = {"messages": [HumanMessage("In which country is Aarhus?")]}
    pieces = [chunk.text for chunk, _ in graph.stream(state, config, stream_mode="messages")]  # type: ignore[arg-type]
    assert len([piece for piece in pieces if piece]) > 2
    assert len(graph.get_state(config).values["messages"]) == 2  # type: ignore[arg-type]
