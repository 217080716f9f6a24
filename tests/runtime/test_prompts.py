"""Prompts are defined once; what they look like is frozen here, because students are trained on it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attar.runtime.prompts import (
    CHECKS,
    ROUTES,
    answer_prompt,
    check_prompt,
    claim_text,
    read_record,
    record_text,
    restated,
    route_prompt,
    summary_prompt,
    tool_call,
    tool_call_text,
)

CORK = "city:Cork\ncountry:Ireland"
NAMES = st.from_regex(r"[a-z][a-z ():²]{0,12}", fullmatch=True)
VALUES = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1)


def test_a_record_names_its_entity_first() -> None:
    assert record_text("city", "Cork", [("country", "Ireland")]) == CORK


def test_the_question_follows_the_record_after_an_empty_line() -> None:
    assert answer_prompt("Where?", "city: Cork") == [{"role": "user", "content": "city: Cork\n\nWhere?"}]
    assert answer_prompt("Where?", None) == [{"role": "user", "content": "Where?"}]


def test_each_role_is_asked_in_its_own_words() -> None:
    (summary,), (check,), (route,) = summary_prompt(CORK), check_prompt("Cork is big.", CORK), route_prompt("Where?")
    assert summary["content"] == f"{CORK}\n\nSummarize this in one or two sentences."
    assert check["content"] == f"{CORK}\n\nClaim: Cork is big.\nSupported, contradicted, or not in the records?"
    assert route["content"] == "Where?\n\nWho is this for: qa, summarizer or validator?"
    assert all(word in check["content"].casefold() for word in CHECKS)
    assert all(word in route["content"] for word in ROUTES)
    assert claim_text("country", "Cork", "Ireland") == "The country of Cork is Ireland."


def test_a_call_is_a_json_object_in_tags_that_keeps_other_scripts() -> None:
    text = tool_call_text("send", {"to": "李娜", "text": 'say "hi" 🎉', "count": 2})
    call = '{"name": "send", "arguments": {"to": "李娜", "text": "say \\"hi\\" 🎉", "count": 2}}'
    assert text == f"<tool_call>\n{call}\n</tool_call>"
    assert tool_call("send", {"to": "李娜"}) == {
        "type": "function",
        "function": {"name": "send", "arguments": {"to": "李娜"}},
    }


@given(NAMES, VALUES, st.lists(st.tuples(NAMES, VALUES)))
def test_a_record_reads_back_as_it_was_written(label: str, entity: str, facts: list[tuple[str, str]]) -> None:
    assert read_record(record_text(label, entity, facts)) == (label, entity, facts)


def test_a_record_as_people_write_it_is_read_too() -> None:
    assert restated("city: Cork\ncountry: Ireland") == restated(CORK) == CORK
    assert restated("Cork: a city.\n\nIt is in Ireland.") == "Cork: a city.\n\nIt is in Ireland."
    assert read_record("city: Cork\ncountry: Ireland: the Republic") == (
        "city",
        "Cork",
        [("country", "Ireland: the Republic")],
    )


@pytest.mark.parametrize("text", ["", "Just a sentence.", f"{CORK}\n\n{CORK}", f"{CORK}\nand more"])
def test_other_text_is_not_read_as_a_record(text: str) -> None:
    assert read_record(text) is None
