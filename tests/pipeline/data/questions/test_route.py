"""Queries for the router: one agent each, and never against the rules that serve without a student."""

from __future__ import annotations

from collections import Counter

from attar.pipeline.data.questions import KINDS
from attar.runtime.agents import RuleRouter
from attar.runtime.prompts import ROUTES
from tests.pipeline.data.questions.scenes import CORK, ask, right


def test_the_agents_take_turns() -> None:
    routes = Counter(question.answer for seed in range(30) for question in ask("route", CORK, seed=seed, count=3))
    assert routes == dict.fromkeys(ROUTES, 30)


def test_another_agent_is_wrong() -> None:
    for question in ask("route", CORK):
        assert not any(right("route", question, [CORK], answer=other) for other in {*ROUTES} - {question.answer})


def test_where_the_rules_know_a_query_they_agree() -> None:
    router, known, asked = RuleRouter(), 0, set()
    for split in ("train", "test"):
        for seed in range(200):
            for question in ask("route", CORK, split=split, seed=seed):
                asked.add(question.form)
                if (agent := router(question.text)) != "qa":
                    known += 1
                    assert agent == question.answer, question.text
    assert known
    assert len(asked) == sum(map(len, KINDS["route"].forms.values()))
