"""A tool under its names: spelled in several styles, drawn for a prompt, and read back from its definition."""

from __future__ import annotations

import random
from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attar.pipeline.data.questions.catalog import BARE, TOOLS, Tool, record_tool
from attar.pipeline.data.questions.catalog.tool import PARAMETERS, STYLES, spelled

EVERY = [tool for catalog in (TOOLS, BARE) for tools in catalog.values() for tool in tools]
RING = Tool(
    "bells",
    ("ring bell", "chime"),
    ("Ring a bell.", "Let a bell chime."),
    ("Ring {count} times at {place}.", "Let it ring {count} times, {place}!"),
    {"count": "count", "place": "place"},
)


@pytest.mark.parametrize(
    ("style", "name"),
    [
        ("snake", "set_timer"),
        ("camel", "setTimer"),
        ("prefixed", "clock_set_timer"),
        ("dotted", "clock.set_timer"),
        ("dotted camel", "clock.setTimer"),
    ],
)
def test_a_name_is_spelled_in_the_style_of_its_prompt(style: str, name: str) -> None:
    assert spelled("set timer", style, "clock") == name
    assert style in STYLES


def test_a_name_has_at_most_64_characters() -> None:
    assert spelled("find " + "x" * 80, "snake") == "find_" + "x" * 59
    assert all(len(name) == 64 for name in record_tool("x" * 80).spellings)


@given(st.sampled_from([*EVERY, RING, record_tool("city")]), st.sampled_from(STYLES), st.integers())
def test_a_drawn_tool_is_read_back_from_its_definition_and_by_no_other(tool: Tool, style: str, seed: int) -> None:
    offer = tool.drawn(style, random.Random(seed))
    assert tool.read(offer.definition) == offer
    assert offer == tool.drawn(style, random.Random(seed))
    assert not any(other.read(offer.definition) for other in EVERY if other is not tool)
    values = {slot: number for number, slot in enumerate(tool.parameters)}
    assert offer.values(offer.arguments(values)) == values
    assert [*offer.arguments(values)] == offer.definition["function"]["parameters"]["required"]


def test_names_descriptions_parameters_and_their_order_vary() -> None:
    offers = [RING.drawn(style, random.Random(seed)) for style in STYLES for seed in range(40)]
    assert {offer.name for offer in offers} == RING.spellings
    assert {offer.about for offer in offers} == set(RING.abouts)
    assert {next(iter(offer.names)) for offer in offers} == {"count", "place"}
    assert {offer.names["count"] for offer in offers} == {"count", "how_many", "howMany", "quantity", "limit"}
    assert RING.plain.names == {"count": "count", "place": "place"}


def test_a_definition_with_anything_else_in_it_is_not_the_tools() -> None:
    definition = RING.plain.definition
    for path, value in (
        (("name",), "ring_bells"),
        (("description",), "Ring two bells."),
        (("parameters", "properties", "count"), {"type": "string"}),
        (("parameters", "properties", "more"), {"type": "string"}),
        (("parameters", "properties", "how_many"), {"type": "integer"}),
        (("parameters", "required"), ["count"]),
    ):
        changed = deepcopy(definition)
        part = changed["function"]
        for key in path[:-1]:
            part = part[key]
        part[path[-1]] = value
        assert RING.read(changed) is None
    assert RING.read(definition) == RING.plain


def test_a_query_can_mean_a_tool_whatever_stands_in_its_slots() -> None:
    assert RING.can_be_meant("Ring 3 times at St. Paul's\nat noon.")
    assert RING.can_be_meant("Let it ring 3 times, (a+b)!")
    assert not RING.can_be_meant("Ring three or four times at Rome.")
    assert not RING.can_be_meant("Please ring 3 times at Rome.")


@pytest.mark.parametrize("tool", EVERY, ids=lambda tool: str(tool.names[0]))
def test_no_two_parameters_of_a_tool_can_be_called_the_same(tool: Tool) -> None:
    names = [name for slot in tool.parameters for name in (slot, *PARAMETERS.get(slot, ()))]
    assert len(set(names)) == len(names)


def test_every_slot_of_the_training_tools_has_several_names() -> None:
    slots = {slot for tool in TOOLS["train"] for slot in tool.parameters}
    assert all(len({slot, *PARAMETERS[slot]}) >= 3 for slot in slots)
