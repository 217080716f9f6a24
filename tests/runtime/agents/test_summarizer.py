"""The Summarizer reads the text or the records that it is given, as many as fit."""

from __future__ import annotations

from pathlib import Path

import pytest
from langchain_core.messages import HumanMessage

from attar.runtime import AgentState, ChatOnnx, SummarizerAgent
from attar.runtime.prompts import NOT_FOUND, summary_prompt

AARHUS = "city:Aarhus\ncountry:Denmark"
CORKS = "city:Cork (IE)\ncountry:Ireland\n\ncity:Cork (US)\ncountry:United States"


@pytest.fixture
def agent(bundle_folder: Path) -> SummarizerAgent:
    return SummarizerAgent(ChatOnnx(bundle=bundle_folder, max_tokens=6))


@pytest.mark.parametrize(
    ("query", "context", "read"),
    [
        ("Summarize Aarhus.", {}, AARHUS),
        ("Summarize Cork.", {}, CORKS),
        ("Summarize it.", {"record": AARHUS}, AARHUS),
        ("Summarize this.", {"text": "Any text."}, "Any text."),
        ("Summarize Aarhus.", {"text": "Any text."}, "Any text."),
    ],
)
def test_what_it_reads(agent: SummarizerAgent, query: str, context: dict[str, str], read: str) -> None:
    update = agent(AgentState(messages=[HumanMessage(query)], context=dict(context)))
    direct = agent.model.invoke(summary_prompt(read)[0]["content"])
    assert update["results"] == {"answer": direct.text, "summary": direct.text}
    assert update["context"]["record"] == read
    assert update["messages"][0].name == "summarizer"


def test_records_that_do_not_fit_are_left_out(agent: SummarizerAgent) -> None:
    long = "word " * 100
    assert agent._fitting([AARHUS, long, AARHUS]) == f"{AARHUS}\n\n{long}\n\n{AARHUS}"
    assert agent._fitting([AARHUS, 10 * long, AARHUS]) == AARHUS


def test_nothing_found_is_said(agent: SummarizerAgent) -> None:
    update = agent(AgentState(messages=[HumanMessage("Summarize Atlantis.")], context={}))
    assert update["results"] == {"answer": NOT_FOUND}
