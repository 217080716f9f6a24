"""The catalog: many tools that can't be mistaken for one another, and held-out ones that stay what they are."""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import replace
from string import Formatter

import pytest

from attar.pipeline.data.questions.catalog import (
    BARE,
    TOOLS,
    Tool,
    fill,
    offered,
    read_offer,
    record_tool,
    shared_tools,
)
from attar.pipeline.data.questions.catalog.tool import STYLES
from attar.pipeline.data.questions.values import folded
from tests.pipeline.data.questions.scenes import CORK, scene

SPLITS = ("train", "test")
TRAIN = (*TOOLS["train"], *BARE["train"])
TEST = (*TOOLS["test"], *BARE["test"])


def beginning(request: str) -> list[str]:
    """The first three words of a request, whatever its slots are called."""
    return re.findall(r"[\w']+", re.sub(r"\{\w+\}", "x", request.casefold()))[:3]


def test_there_are_many_to_learn_from_each_with_several_names_descriptions_and_requests() -> None:
    assert len(TOOLS["train"]) >= 60 and len(BARE["train"]) >= 40
    for tool in TRAIN:
        assert len(set(tool.names)) >= 3 and len(set(tool.abouts)) >= 2 and 3 <= len(set(tool.requests)) <= 4
    assert {len(tool.parameters) for tool in TRAIN} == {0, 1, 2, 3, 4}


def test_no_two_tools_can_be_called_or_described_the_same_whatever_the_split() -> None:
    names = Counter(name for tool in (*TRAIN, *TEST) for name in {name.casefold() for name in tool.spellings})
    assert max(names.values()) == 1
    abouts = Counter(folded(about) for tool in (*TRAIN, *TEST) for about in tool.abouts)
    assert max(abouts.values()) == 1


def test_no_tool_can_be_called_what_finds_the_records_of_any_table() -> None:
    finding = [name.split()[0] for name in record_tool("x").names]
    assert not [tool.names for tool in (*TRAIN, *TEST) if any(name.split()[0] in finding for name in tool.names)]
    assert record_tool("x").area not in {tool.area for tool in (*TRAIN, *TEST)}


def test_no_training_request_is_a_held_out_one_or_begins_like_it() -> None:
    held_out = [beginning(request) for tool in TEST for request in tool.requests]
    assert not [request for tool in TRAIN for request in tool.requests if beginning(request) in held_out]


def test_what_is_held_out_is_always_called_the_same() -> None:
    made = scene(CORK, split="test")
    offers = {offer.name: offer for seed in range(20) for offer in offered(TEST, made, random.Random(seed))}
    takes = {offer.name: [*offer.definition["function"]["parameters"]["properties"]] for offer in offers.values()}
    assert takes == {
        "book_table": ["name", "guests"],
        "square_root": ["number"],
        "add_note": ["text"],
        "get_directions": ["destination"],
        "label_item": ["text", "copies"],
        "get_battery": [],
        "lock_doors": [],
        "tell_joke": [],
    }


@pytest.mark.parametrize("tool", [*TRAIN, *TEST], ids=lambda tool: str(tool.names[0]))
def test_every_request_says_each_argument_once_and_can_mean_no_other_tool(tool: Tool) -> None:
    split = "test" if tool in TEST else "train"
    made, rng = scene(CORK, split=split), random.Random(0)
    for request in tool.requests:
        assert not request.startswith("{")
        assert sorted(slot for _, slot, _, _ in Formatter().parse(request) if slot) == sorted(tool.parameters)
        for _ in range(5):
            query = request.format(**fill(tool, made, rng))
            assert [other for other in (*TRAIN, *TEST) if other.can_be_meant(query)] == [tool]


def test_the_tools_of_a_prompt_are_named_in_one_style_the_next_prompts_in_another() -> None:
    made = scene(CORK, split="train")
    tools = TRAIN[:6]
    drawn = [offered(tools, made, random.Random(seed)) for seed in range(200)]
    assert offered(tools, made, random.Random(7)) == drawn[7]
    dotted = [{"." in offer.name for offer in offers} for offers in drawn]
    assert all(len(found) == 1 for found in dotted)
    assert 40 < sum(found == {True} for found in dotted) < 100, f"{STYLES.count('dotted')} and one of {len(STYLES)}"
    assert min(len({offers[place].name for offers in drawn}) for place in range(6)) >= 12


def test_a_shared_scene_offers_the_same_tools_again_and_up_to_six_of_them() -> None:
    shared = [replace(scene(CORK, split="train"), shared=str(seed)) for seed in range(100)]
    found = [shared_tools(made) for made in shared]
    assert found == [shared_tools(made) for made in shared]
    assert {len(offers) for offers in found} == {3, 4, 5, 6}
    assert shared_tools(scene(CORK, split="train")) == []
    for offers in found:
        assert sum(offer.tool == record_tool("city") for offer in offers) == 1
        assert [read_offer(offer.definition, "train", "city") for offer in offers] == offers


def test_a_definition_is_read_in_its_own_split_and_table_alone() -> None:
    for split, other in (SPLITS, SPLITS[::-1]):
        for tool in (*TOOLS[split], *BARE[split]):
            assert read_offer(tool.plain.definition, split, "city") == tool.plain
            assert read_offer(tool.plain.definition, other, "city") is None
    finder = record_tool("city").plain
    assert read_offer(finder.definition, "test", "city") == finder
    assert read_offer(finder.definition, "test", "country") is None
