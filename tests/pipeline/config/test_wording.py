"""Mistakes in a config are named with what was meant, given and allowed."""

from __future__ import annotations

import copy
import string
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from attar.pipeline.config.reading import parse_config
from attar.pipeline.config.schema import key_paths, keys_at
from attar.pipeline.config.wording import dotted, shown
from attar.runtime.errors import ConfigError
from tests.pipeline.config.test_reading import SMALL

PATHS = list(key_paths())
LETTERS = st.sampled_from(string.ascii_letters + string.digits + "_-")


@st.composite
def misspelt(draw: st.DrawFn, word: str) -> str:
    """A word with one letter left out, put in or replaced, or two neighbors exchanged."""
    place, edit = draw(st.integers(0, len(word) - 1)), draw(st.integers(0, 3))
    if edit == 0:
        return word[:place] + word[place + 1 :]
    if edit == 1:
        return word[:place] + draw(LETTERS) + word[place:]
    if edit == 2:
        return word[:place] + draw(LETTERS) + word[place + 1 :]
    return word[:place] + word[place : place + 2][::-1] + word[place + 2 :]


def refusal(path: tuple[int | str, ...], key: str, *, by_call: bool) -> ConfigError:
    """What is said of ``key`` in the place of the last part of ``path``."""
    raw = copy.deepcopy(SMALL)
    wrong = [*path[:-1], key]
    overrides = [f"{dotted(wrong)}=1"]
    if not by_call:
        target = raw
        for part in path[:-1]:
            target = target[part] if isinstance(part, int) else target.setdefault(part, {})  # type: ignore[assignment,call-overload,attr-defined,index]
        target[key] = 1
        overrides = []
    with pytest.raises(ConfigError) as caught:
        parse_config(raw, Path("config.json"), overrides)
    return caught.value


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(PATHS), st.booleans(), st.data())
def test_one_letter_wrong_in_any_key_names_the_right_one(
    path: tuple[int | str, ...], by_call: bool, data: st.DataObject
) -> None:
    key = str(path[-1])
    typo = data.draw(misspelt(key))
    assume(typo not in keys_at(path[:-1]) and not typo.startswith("//"))
    error = refusal(path, typo, by_call=by_call)
    assert error.what == f"Unknown key {dotted([*path[:-1], typo])!r}."
    assert error.next_step == f"Did you mean {key!r}?"


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("distillation.temperature=0", ["distillation.temperature can't be 0.", "greater than 0", "default is 2.0"]),
        ("distillation.alpha=2", ["can't be 2.", "at least 0 and at most 1", "default is 0.5"]),
        ("distillation.steps=many", ['can\'t be "many".', "a whole number at least 1", "default is 190"]),
        ("export.quantize=int2", ['can\'t be "int2".', "one of 'none', 'int8', 'int4'"]),
        ("export.wanted=speed", ["one of 'latency', 'throughput', 'size' or a list of at least 1"]),
        ("data.counterfactual=maybe", ["true or false", "default is true"]),
        ("data.tables=[]", ["can't be [].", "a list of at least 1", "an example is [{"]),
        ("data.tables.0.columns=3", ["data.tables.0.columns can't be 3.", "a JSON object, or null"]),
        ("data.tables.0.columns.a=3", ["data.tables.0.columns.a can't be 3.", "It must be text."]),
        ("distillation=3", ["distillation can't be 3.", "a JSON object", "The teacher, the student"]),
        ("name=../up", ['name can\'t be "../up".', "letters, digits", 'an example is "my-run"']),
    ],
)
def test_a_wrong_value_is_told_with_what_is_allowed(override: str, said: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(SMALL, Path("config.json"), [override])
    for words in said:
        assert words in str(caught.value)
    assert "Input should" not in str(caught.value)


def test_a_missing_key_comes_with_an_example() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(SMALL | {"distillation": {}}, Path("config.json"))
    assert caught.value.what == "distillation.teacher_model_name is missing."
    assert '"teacher_model_name": "pkg:' in str(caught.value.next_step)


def test_all_that_is_wrong_is_named_at_once() -> None:
    with pytest.raises(ConfigError, match="Unknown key 'nmae'") as caught:
        parse_config(SMALL | {"nmae": "x"}, Path("config.json"), ["distillation.alpha=2", "export.quantize=int2"])
    assert caught.value.why == "Also wrong: distillation.alpha, export.quantize."


def test_a_value_is_shown_short_and_without_what_may_be_a_password() -> None:
    for address in ("postgresql://me:s@c/ret@host/db", "postgresql://host/db?password=secret"):
        assert shown(address) == '"postgresql://***"'
        assert shown([{"database": address}, 3]) == '[{"database": "postgresql://***"}, 3]'
        with pytest.raises(ConfigError) as caught:
            parse_config(SMALL, Path("config.json"), [f"data.tables={address}"])
        assert "host" not in str(caught.value)
    assert len(shown("x" * 500)) == 80


@pytest.mark.parametrize("value", ['"all"', "0", "[1]"])
def test_a_key_that_takes_several_types_is_named_once_with_all_of_them(value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(SMALL, Path("config.json"), [f"distillation.student_vocabulary={value}"])
    assert caught.value.what.startswith("distillation.student_vocabulary can't be")
    assert "a whole number at least 1 or 'data', or null" in str(caught.value.why)
    assert "Also wrong" not in str(caught.value.why)
