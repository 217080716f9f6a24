"""The forms of all kinds: none in both splits, none twice, slots as their kinds fill them, and many to learn from."""

from __future__ import annotations

import re
from collections import Counter
from string import Formatter

import pytest

from attar.pipeline.data.questions import KINDS
from attar.pipeline.data.questions.forms.route import QUERIES
from attar.pipeline.data.questions.lookup import LOOKUP_FORMS
from attar.runtime.agents import RuleRouter
from attar.runtime.prompts import ROUTES

SLOTS = {
    "reverse_lookup": "column value",
    "yes_no": "column entity value",
    "comparison": "column more one other",
    "extreme": "column most",
    "top_k": "column most number",
    "count": "condition",
    "filter": "condition",
    "date_shift": "column direction entity number unit",
    "date_difference": "column one other units",
    "summary": "column entity value",
    "multi_summary": "column entity value",
    "claim": "column entity value",
}
"""Kind to the slots that each of its forms has."""
LABELED = ("reverse_lookup", "comparison", "extreme", "count", "filter", "summary", "multi_summary")
"""Kinds whose forms may have the table's label besides."""
LAYOUTS = ("summary", "multi_summary")
CALLS = ("tool_call", "tool_choice", "tool_without_arguments")
"""Kinds whose forms belong to tools, each with slots of its own."""


def slots(form: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(form) if name}


def plain(kind: str, form: str) -> list[str]:
    """The words of a form in lower case, without the punctuation, which is what makes a layout."""
    return form.casefold().split() if kind in LAYOUTS else re.findall(r"\{\w+\}|[\w']+", form.casefold())


@pytest.mark.parametrize("name", KINDS)
def test_no_form_is_in_both_splits_in_any_order_of_words_and_none_is_there_twice(name: str) -> None:
    forms = {split: [plain(name, form) for form in forms] for split, forms in KINDS[name].forms.items()}
    train, test = ({" ".join(sorted(form)) for form in forms[split]} for split in ("train", "test"))
    assert not train & test
    every = [" ".join(form) for split in ("train", "test") for form in forms[split]]
    assert [form for form, times in Counter(every).items() if times > 1] == []
    assert len(forms["test"]) >= 3


@pytest.mark.parametrize("name", KINDS)
def test_every_form_has_the_slots_that_its_kind_fills(name: str) -> None:
    forms = [form for forms in KINDS[name].forms.values() for form in forms]
    if name in SLOTS:
        for form in forms:
            left = slots(form) - {"label"} if name in LABELED else slots(form)
            assert left == set(SLOTS[name].split()), form
    elif name != "route" and name not in CALLS:
        assert KINDS[name].forms is LOOKUP_FORMS
        assert all(slots(form) == {"column", "entity"} for form in forms)


@pytest.mark.parametrize("name", [name for name in KINDS if name not in CALLS])
def test_there_are_many_forms_to_learn_a_kind_from(name: str) -> None:
    assert len(KINDS[name].forms["train"]) >= (16 if name in LAYOUTS else 20)


def test_no_form_asks_two_things() -> None:
    """No two kinds of question share one, but those that are asked in the forms of a lookup."""
    asking = ["lookup", *(name for name in SLOTS if KINDS[name].role == "qa")]
    forms = [" ".join(plain(name, form)) for name in asking for split in KINDS[name].forms.values() for form in split]
    assert [form for form, times in Counter(forms).items() if times > 1] == []


@pytest.mark.parametrize("agent", ROUTES)
def test_queries_name_what_an_agent_needs_and_no_agent_has_anothers(agent: str) -> None:
    needed = {"qa": [{"column", "entity"}, {"column", "value"}], "summarizer": [{"entity"}]}
    for split, queries in QUERIES.items():
        others = [plain("route", form) for route in ROUTES if route != agent for form in queries[route]]
        for form in queries[agent]:
            assert slots(form) - {"label"} in needed.get(agent, [{"column", "entity", "value"}]), form
            assert plain("route", form) not in others
        assert split == "test" or len(queries[agent]) >= 20


@pytest.mark.parametrize("agent", ROUTES)
def test_the_rules_that_serve_without_a_student_send_no_query_to_a_wrong_agent(agent: str) -> None:
    for form in [form for queries in QUERIES.values() for form in queries[agent]]:
        query = form.format(label="city", column="year of opening", entity="Cork (IE)", value="1845")
        assert RuleRouter()(query) in (agent, "qa"), query
