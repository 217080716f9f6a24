"""The record decides where it can; the student is asked only for the rest, and its word is marked as such."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableConfig

from attar.runtime import AgentState, ChatOnnx, ValidatorAgent
from attar.runtime.agents.validator import UNDECIDED
from attar.runtime.prompts import NOT_FOUND, Message

AARHUS = "city:Aarhus\ncountry:Denmark"


class Told(ValidatorAgent):
    """Says what it is told to, and keeps what it was asked."""

    def __init__(self, bundle: Path, word: str) -> None:
        super().__init__(bundle)
        self.word = word
        self.asked: list[str] = []

    def reply(self, turns: list[Message], config: RunnableConfig | None, **settings: Any) -> AIMessage:
        self.asked.append(turns[-1]["content"])
        return AIMessage(self.word)


def claim(agent: ValidatorAgent, text: str, **context: str) -> dict[str, Any]:
    return agent(AgentState(messages=[HumanMessage(text)], context=dict(context)))


def answer(agent: ValidatorAgent, question: str, given: str, **results: str) -> dict[str, Any]:
    messages = [HumanMessage(question), AIMessage(given)]
    found = {"answer": given, **results}
    return agent(AgentState(messages=messages, context={"record": AARHUS}, results=found))["results"]


@pytest.mark.parametrize(
    ("text", "check", "said"),
    [
        ("The country of Aarhus is Denmark.", "supported", "Supported (country: Denmark)."),
        ("Is it true that Aarhus has the country Ireland?", "contradicted", "Contradicted (country: Denmark)."),
        # one of the two bears it out; neither does
        ("The country of Cork is United States.", "supported", "Supported (country: United States)."),
        ("The country of Cork is Denmark.", "contradicted", "Contradicted (country: Ireland)."),
        ("The country of Atlantis is Denmark.", "not in the records", "Not in the records."),
    ],
)
def test_a_claim_is_checked_without_asking_the_student(bundle_folder: Path, text: str, check: str, said: str) -> None:
    agent = Told(bundle_folder, "supported")
    update = claim(agent, text)
    assert (update["results"]["check"], update["results"]["checked_by"]) == (check, "record")
    assert update["messages"][0].text == update["results"]["answer"] == said
    assert agent.asked == []


def test_a_record_of_ones_own_is_checked_against(bundle_folder: Path) -> None:
    agent = Told(bundle_folder, "supported")
    assert claim(agent, "Its country is Norway", record="city:Oslo\ncountry:Norway")["results"]["check"] == "supported"


@pytest.mark.parametrize(
    ("word", "check", "by"),
    [
        ("Supported.", "supported", "model"),
        ("not in the records", "not in the records", "model"),
        ("Dunno", None, None),
    ],
)
def test_what_is_left_open_is_the_students_word(bundle_folder: Path, word: str, check: str | None, by: str) -> None:
    agent = Told(bundle_folder, word)
    results = claim(agent, "Aarhus is large.")["results"]
    assert (results["check"], results["checked_by"], results["evidence"]) == (check, by, None)
    assert agent.asked == [f"{AARHUS}\n\nClaim: Aarhus is large.\nSupported, contradicted, or not in the records?"]
    assert results["answer"] == (UNDECIDED if check is None else f"{check.capitalize()}.")


def test_a_real_student_is_asked_too(bundle_folder: Path) -> None:
    results = claim(ValidatorAgent(ChatOnnx(bundle=bundle_folder)), "Aarhus is large.")["results"]
    assert (results["check"] is None) == (results["checked_by"] is None)


def test_an_answer_is_checked_and_stays_as_it_is(bundle_folder: Path) -> None:
    agent = Told(bundle_folder, "supported")
    results = answer(agent, "What is the country of Aarhus?", "Ireland", route="qa")
    assert results == {
        "answer": "Ireland",
        "route": "qa",
        "check": "contradicted",
        "checked_by": "record",
        "evidence": "country: Denmark",
    }
    assert answer(agent, "Where is Atlantis?", NOT_FOUND)["check"] == "not in the records"
    assert agent.asked == []


def test_an_open_answer_is_put_to_the_student_as_a_claim(bundle_folder: Path) -> None:
    agent = Told(bundle_folder, "supported")
    answer(agent, "What is the country of Aarhus?", "Jutland")
    answer(agent, "Where is Aarhus?", "Denmark")
    claims = [prompt.splitlines()[-2] for prompt in agent.asked]
    assert claims == ["Claim: The country of Aarhus is Jutland.", "Claim: Where is Aarhus? Denmark"]


def test_a_summary_with_an_invented_number_is_caught(bundle_folder: Path) -> None:
    agent = Told(bundle_folder, "supported")
    assert answer(agent, "Summarize Aarhus.", "Aarhus, 5 million.", summary="")["check"] == "supported"
    assert answer(agent, "Summarize Aarhus.", "Aarhus has 285273 people.", summary="")["check"] == "not in the records"
    assert len(agent.asked) == 1
