"""The agent answers from the record that a question names, and from no other."""

from __future__ import annotations

from pathlib import Path

import pytest
from langchain_core.messages import HumanMessage

from attar.runtime import AgentState, ChatOnnx, DistilledModelAgent
from attar.runtime.prompts import NOT_FOUND
from tests.tiny import export_with_records


@pytest.fixture
def agent(bundle_folder: Path) -> DistilledModelAgent:
    return DistilledModelAgent(ChatOnnx(bundle=bundle_folder, max_tokens=6))


def ask(agent: DistilledModelAgent, question: str, **context: str) -> dict[str, object]:
    return agent(AgentState(messages=[HumanMessage(question)], context=dict(context)))


def test_the_prompt_holds_the_record_that_is_named(agent: DistilledModelAgent) -> None:
    update = ask(agent, "Which country is Aarhus in?")
    assert update["context"] == {"record": "city:Aarhus\ncountry:Denmark", "candidates": ["Aarhus"]}
    direct = agent.model.invoke("city:Aarhus\ncountry:Denmark\n\nWhich country is Aarhus in?")
    assert update["results"] == {"answer": direct.text}
    assert update["messages"][0].name == "qa"  # type: ignore[index]


def test_a_name_that_several_records_share_is_told(agent: DistilledModelAgent) -> None:
    context = ask(agent, "Where is Cork?")["context"]
    assert context["candidates"] == ["Cork (IE)", "Cork (US)"]  # type: ignore[index]
    assert context["record"] == "city:Cork (IE)\ncountry:Ireland"  # type: ignore[index]


def test_a_question_that_names_no_record_is_not_answered_from_thin_air(agent: DistilledModelAgent) -> None:
    update = ask(agent, "Where is Atlantis?")
    assert update["results"] == {"answer": NOT_FOUND}


def test_what_was_learned_as_a_table_held_it_is_answered_without_a_record(teacher_folder: Path, tmp_path: Path) -> None:
    bundle = export_with_records(teacher_folder, tmp_path / "bundle", modes={"grounded": 9, "given": 3})
    agent = DistilledModelAgent(ChatOnnx(bundle=bundle, max_tokens=6))
    update = ask(agent, "How do I return a parcel?")
    assert update["results"] == {"answer": agent.model.invoke("How do I return a parcel?").text}
    assert ask(agent, "Where is Aarhus?")["context"]["candidates"] == ["Aarhus"]  # type: ignore[index]


def test_a_follow_up_is_about_the_record_before_it_and_a_new_name_about_a_new_one(agent: DistilledModelAgent) -> None:
    first = ask(agent, "Which country is Aarhus in?")
    state = AgentState(messages=[HumanMessage("And its population?")], context=first["context"])  # type: ignore[typeddict-item]
    follow_up = agent(state)
    assert follow_up["context"]["record"] == "city:Aarhus\ncountry:Denmark"
    state = AgentState(messages=[HumanMessage("And Cork (US)?")], context=follow_up["context"])
    assert agent(state)["context"]["candidates"] == ["Cork (US)"]


def test_a_record_of_ones_own_is_read_instead(agent: DistilledModelAgent) -> None:
    update = ask(agent, "Which country is Aarhus in?", record="city: Aarhus\ncountry: Norway")
    direct = agent.model.invoke("city:Aarhus\ncountry:Norway\n\nWhich country is Aarhus in?")
    assert update["results"] == {"answer": direct.text}
