"""Prompts are defined once; what they look like is frozen here, because students are trained on it."""

from __future__ import annotations

from attar.runtime.prompts import answer_prompt, record_text


def test_a_record_names_its_entity_first() -> None:
    assert record_text("city", "Cork", [("country", "Ireland")]) == "city: Cork\ncountry: Ireland"


def test_the_question_follows_the_record_after_an_empty_line() -> None:
    assert answer_prompt("Where?", "city: Cork") == [{"role": "user", "content": "city: Cork\n\nWhere?"}]
    assert answer_prompt("Where?", None) == [{"role": "user", "content": "Where?"}]
