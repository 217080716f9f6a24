"""A query goes to the agent it is for; what was read is checked; the log says what was decided and no more."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver

from attar.runtime import AgenticWorkflow, AgentState, ChatOnnx, MultiAgentWorkflow
from attar.runtime.errors import UsageError
from attar.runtime.prompts import NOT_FOUND

QUESTION = "What is the country of Aarhus?"
CLAIM = "Is it true that the country of Aarhus is Ireland?"


@pytest.fixture
def model(bundle_folder: Path) -> ChatOnnx:
    return ChatOnnx(bundle=bundle_folder, max_tokens=6)


@pytest.fixture
def team(model: ChatOnnx) -> MultiAgentWorkflow:
    return MultiAgentWorkflow(model)


def steps(workflow: MultiAgentWorkflow, query: str, context: dict[str, Any] | None = None) -> list[str]:
    return [name for update in workflow.stream(query, context, stream_mode="updates") for name in update]


def say(text: str) -> Any:
    return lambda state: {"messages": [AIMessage(text)], "results": {**state["results"], "answer": text}}


@pytest.mark.parametrize(
    ("query", "agents"),
    [(QUESTION, ["qa", "validate"]), ("Summarize Cork.", ["summarizer", "validate"]), (CLAIM, ["validator"])],
)
def test_the_way_of_a_query(team: MultiAgentWorkflow, query: str, agents: list[str]) -> None:
    assert steps(team, query) == ["process_input", "route", *agents, "finalize"]
    result = team.run(query=query)
    assert result["results"]["route"] == agents[0] == result["messages"][-1].name
    assert result["results"]["answer"] == result["messages"][-1].text
    assert result["current_task"] == "done"
    assert "check" in result["results"]


def test_the_answer_is_the_qa_agents_own(team: MultiAgentWorkflow, model: ChatOnnx) -> None:
    alone = AgenticWorkflow(model).run(QUESTION)
    result = team.run(QUESTION)
    assert result["messages"][-1].text == alone["messages"][-1].text
    assert result["context"] == alone["context"]


def test_checks_can_be_switched_off_but_claims_are_still_checked(model: ChatOnnx) -> None:
    team = MultiAgentWorkflow(model, validate=False)
    assert steps(team, QUESTION) == ["process_input", "route", "qa", "finalize"]
    assert "check" not in team.run(QUESTION)["results"]
    assert team.run(CLAIM)["results"]["check"] == "contradicted"
    assert "validate(" not in team.draw_mermaid()


def test_nothing_found_is_not_in_the_records(team: MultiAgentWorkflow) -> None:
    results = team.run("Where is Atlantis?")["results"]
    assert (results["answer"], results["check"], results["checked_by"]) == (NOT_FOUND, "not in the records", "record")


def test_an_answer_without_anything_to_stand_against_is_not_checked(teacher_folder: Path, tmp_path: Path) -> None:
    from attar.pipeline.config import ExportConfig
    from attar.pipeline.export import export_model

    export_model(teacher_folder, tmp_path / "bundle", ExportConfig(quantize="none"))
    team = MultiAgentWorkflow(ChatOnnx(bundle=tmp_path / "bundle", max_tokens=3))
    assert "validate" not in steps(team, QUESTION)
    assert "validate" in steps(team, QUESTION, {"record": "city:Aarhus\ncountry:Denmark"})


def test_all_agents_share_one_model(team: MultiAgentWorkflow, model: ChatOnnx) -> None:
    nodes = (team._nodes[name] for name in ("qa", "summarizer", "validator", "validate"))
    assert all(node.model is model for node in nodes)  # type: ignore[attr-defined]


def test_the_router_can_be_ones_own(model: ChatOnnx) -> None:
    team = MultiAgentWorkflow(model, router=lambda query: "summarizer")
    assert team.run(QUESTION)["results"]["route"] == "summarizer"
    lost = MultiAgentWorkflow(model, router=lambda query: "nobody")
    with pytest.raises(UsageError, match="not in the team") as error:
        lost.run(QUESTION)
    assert "qa, summarizer, validator" in str(error.value)


def test_an_agent_of_ones_own_is_called_by_its_words(team: MultiAgentWorkflow) -> None:
    team.add_node("last", lambda state: {})
    team.add_agent("greeter", say("Hello!"), pattern=r"(?i)^hello\b")
    team.add_agent("teller", say("Denmark"), pattern=r"^tell", check=True)
    assert steps(team, "Hello, summarize me") == ["process_input", "route", "greeter", "last", "finalize"]
    assert team.run("Hello!")["messages"][-1].text == "Hello!"
    context = {"record": "city:Aarhus\ncountry:Denmark"}
    assert steps(team, "tell", context) == ["process_input", "route", "teller", "validate", "last", "finalize"]
    assert steps(team, CLAIM)[2] == "validator"
    with pytest.raises(UsageError, match="already"):
        team.add_agent("qa", say("no"))


def test_tokens_of_the_answer_are_streamed_and_the_checks_are_not(team: MultiAgentWorkflow) -> None:
    question = "In which country is Aarhus?"
    pieces = [(chunk.text, data["langgraph_node"]) for chunk, data in team.stream(question, stream_mode="messages")]
    assert {node for _, node in pieces} == {"qa"}
    assert len(pieces) > 2
    assert "".join(text for text, _ in pieces) == team.run(question)["messages"][-1].text
    whole = [chunk.text for chunk, _ in team.stream(CLAIM, stream_mode="messages")]
    assert whole == ["Contradicted (country: Denmark)."]
    modes = {mode for mode, _ in team.stream(QUESTION)}
    assert modes == {"updates", "messages"}


def test_a_follow_up_is_about_the_record_before_it(team: MultiAgentWorkflow) -> None:
    first = team.run(QUESTION)
    second = team.run("Is it true that its country is Denmark?", first["context"], first["messages"])
    assert second["results"]["check"] == "supported"
    assert len(second["messages"]) == 4


def test_with_a_checkpointer_a_question_does_not_inherit_the_check_before_it(team: MultiAgentWorkflow) -> None:
    team.add_agent("greeter", say("Hello!"), pattern="^Hello")
    graph = team.builder().compile(checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "1"}}
    graph.invoke({"messages": [("user", CLAIM)]}, config)
    state: AgentState = graph.invoke({"messages": [("user", "Hello")]}, config)  # type: ignore[assignment]
    assert state["results"] == {"route": "greeter", "answer": "Hello!"}


def test_the_log_has_decisions_and_times_and_nothing_that_was_said(
    team: MultiAgentWorkflow, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="attar.agents"):
        for query in (QUESTION, CLAIM, "Summarize Cork."):
            team.run(query)
        list(team.stream(QUESTION))
    lines = [record.getMessage() for record in caplog.records if record.name == "attar.agents"]
    assert all(record.levelno == logging.INFO for record in caplog.records if record.name == "attar.agents")
    assert [line.split(" ms=")[0] for line in lines if line.startswith("route")] == [
        f"route agent={agent!r}" for agent in ("qa", "validator", "summarizer", "qa")
    ]
    assert "validator check='contradicted' checked_by='record'" in [line.split(" ms=")[0] for line in lines]
    assert sum(line.startswith("run ms=") for line in lines) == 4
    logged = " ".join(lines).casefold()
    said = ("aarhus", "denmark", "ireland", "cork", "country", "city", "true", team.run(CLAIM)["results"]["answer"])
    assert not any(word in logged for word in said)
