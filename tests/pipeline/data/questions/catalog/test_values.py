"""What parameters are filled with: of the types that definitions name, and too many in training to be learned."""

from __future__ import annotations

import json
import random
import unicodedata
from collections import Counter

import pytest

from attar.pipeline.data.questions.catalog.values import CHOICES, VALUES, schema_of
from tests.pipeline.data.questions.scenes import CORK, scene

TYPES = {"string": (str,), "integer": (int,), "number": (int, float)}


def drawn(filler: str, split: str) -> list[object]:
    rng = random.Random(0)
    return [VALUES[filler](scene(CORK, split=split), rng) for _ in range(300)]


@pytest.mark.parametrize("filler", VALUES)
def test_a_value_is_what_its_schema_says(filler: str) -> None:
    schema = schema_of(filler)
    for value in (*drawn(filler, "train"), *drawn(filler, "test")):
        assert type(value) in TYPES[schema["type"]]
        assert value in schema.get("enum", [value])
        assert json.loads(json.dumps(value)) == value and str(value).strip()


@pytest.mark.parametrize("filler", ["person", "text", "email", "phone", "reference", "file", "date", "clock"])
def test_names_texts_and_codes_are_too_many_to_be_learned(filler: str) -> None:
    assert len({*drawn(filler, "train")}) > 100


def scripts_of(value: object) -> set[str]:
    """The first words of what Unicode calls its letters outside of ASCII: LATIN, CJK, HIRAGANA and the like."""
    return {unicodedata.name(sign).split()[0] for sign in str(value) if sign.isalpha() and not sign.isascii()}


@pytest.mark.parametrize("filler", ["person", "text"])
def test_every_script_of_the_test_is_copied_in_training_from_many_values(filler: str) -> None:
    trained = Counter(script for value in {*drawn(filler, "train")} for script in scripts_of(value))
    tested = {script for value in drawn(filler, "test") for script in scripts_of(value)}
    assert {"CJK", "HIRAGANA"} <= tested
    assert all(trained[script] >= 5 for script in tested)


def test_the_splits_share_no_names_of_people_and_no_texts() -> None:
    for filler in ("person", "text"):
        assert not {*drawn(filler, "train")} & {*drawn(filler, "test")}


def test_the_choices_are_listed() -> None:
    assert schema_of("state") == {"type": "string", "enum": ["on", "off"]}
    assert all(set(drawn(name, "train")) == set(values) for name, values in CHOICES.items())
