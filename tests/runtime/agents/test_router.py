"""Which agent a query is for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attar.pipeline.data.questions import Lookup
from attar.runtime.agents.router import RuleRouter
from attar.runtime.agents.validator import claim_in
from attar.runtime.prompts import ROUTES

CLAIM = "the capital of Denmark is Paris"


@pytest.mark.parametrize(
    "query",
    [
        "What is the capital of Denmark?",
        "Is Copenhagen the capital of Denmark?",
        "Where is Check?",
        "Tell me the capital of Denmark.",
        "Which airport has the code SUM?",
        "What is true of Denmark?",
        "",
    ],
)
def test_questions_go_to_the_qa_agent(query: str) -> None:
    assert RuleRouter()(query) == "qa"


@pytest.mark.parametrize("column", ["capital", "summary", "claim", "check digit"])
@pytest.mark.parametrize("form", [form for forms in Lookup.forms.values() for form in forms if form[0] != "{"])
def test_every_form_of_a_lookup_is_a_question_whatever_the_column_is_called(form: str, column: str) -> None:
    assert RuleRouter()(form.format(column=column, entity="Denmark")) == "qa"


@pytest.mark.parametrize(
    "query",
    [
        "Summarize Denmark.",
        "please summarise the record of Denmark",
        "Sum up Denmark",
        "Can you give me a short summary of Denmark?",
        "Overview of Denmark",
        "Describe Denmark.",
        "Tell me everything about Denmark!",
        "What do you know about Denmark?",
    ],
)
def test_summaries_go_to_the_summarizer(query: str) -> None:
    assert RuleRouter()(query) == "summarizer"


@pytest.mark.parametrize(
    "query",
    [
        f"Is it true that {CLAIM}?",
        f"Please check whether {CLAIM}",
        f"Verify: {CLAIM}",
        f"Validate this claim: {CLAIM}",
        f"Claim: {CLAIM}",
        f"True or false: {CLAIM}?",
        f"{CLAIM}, is that right?",
        f"{CLAIM}. True or false?",
    ],
)
def test_claims_go_to_the_validator_without_the_words_around_them(query: str) -> None:
    assert RuleRouter()(query) == "validator"
    assert claim_in(query) == CLAIM


def test_rules_of_ones_own_come_first_and_a_router_may_follow() -> None:
    router = RuleRouter([("^translate", "translator")], otherwise=lambda query: query.upper())
    assert [router("translate this"), router("qa")] == ["translator", "QA"]


@given(st.text())
def test_every_query_has_an_agent(query: str) -> None:
    assert RuleRouter()(query) in ROUTES
    assert isinstance(claim_in(query), str)
