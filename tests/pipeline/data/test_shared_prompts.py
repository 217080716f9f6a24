"""Prompts that kinds share in training: alike from the first token on, right by their rows, never held out."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import cache

from attar.pipeline import StructuredDataLoader
from attar.pipeline.data import Sample, verify
from attar.pipeline.data.questions import KINDS
from tests.pipeline.data.questions.scenes import quickstart

ON_SEVERAL_ROWS = {"reverse_lookup", "extreme", "top_k", "count", "filter"}
WITH_TOOLS = {"tool_choice", "tool_without_arguments", "tool_lookup", "no_tool"}
ON_ONE_ROW = {"lookup", "yes_no", "abstain", "date_shift"}
BY_WHAT_IS_HIDDEN = {"claim", "not_recorded"}
"""On one row too; where a turn hides nothing they hide what they ask for."""


@cache
def made(share: float) -> tuple[StructuredDataLoader, tuple[Sample, ...]]:
    loader = quickstart(
        kinds=dict.fromkeys(KINDS, 1.0), records_per_table=20, questions_per_record=48, shared_prompts=share
    )
    return loader, tuple(loader.prepare_distillation_dataset())


def turns(samples: tuple[Sample, ...]) -> dict[str, list[Sample]]:
    by_turn = defaultdict(list)
    for sample in samples:
        if sample.split == "train":
            by_turn[sample.seed].append(sample)
    return by_turn


def test_every_answer_is_right_by_its_rows_and_none_is_refused() -> None:
    loader, samples = made(1.0)
    found = verify(samples, loader.tables)
    assert found.right and found.checked.total() == len(samples)
    assert set(found.checked) == set(KINDS)
    assert not +loader.refused


def test_the_kinds_of_a_turn_show_the_same_rows_columns_and_tools() -> None:
    for asked in turns(made(1.0)[1]).values():
        for kinds in (ON_ONE_ROW, WITH_TOOLS):
            beginnings = {str(s.tools) if kinds is WITH_TOOLS else s.record for s in asked if s.kind in kinds}
            assert len(beginnings) == 1, asked[0].seed
    several = [Counter(s.record for s in asked if s.kind in ON_SEVERAL_ROWS) for asked in turns(made(1.0)[1]).values()]
    assert sum(max(counts.values()) for counts in several) > 0.85 * sum(counts.total() for counts in several)


def test_what_is_hidden_is_asked_for_only_as_not_recorded_or_as_a_claim_that_is_not_in_the_records() -> None:
    hidden = 0
    for sample in made(1.0)[1]:
        if sample.kind in ON_ONE_ROW | BY_WHAT_IS_HIDDEN and not set(sample.columns) <= set(sample.shown):
            hidden += 1
            assert sample.answer in ("not recorded", "not in the records") or sample.kind == "abstain"
    assert hidden > 20


def test_fewer_records_are_read_for_as_many_questions() -> None:
    shared, own = ({(sample.record, str(sample.tools)) for sample in made(share)[1]} for share in (1.0, 0.0))
    assert len(shared) < 0.6 * len(own)


def test_the_test_split_is_the_same_with_and_without() -> None:
    shared, own = ([s for s in made(share)[1] if s.split == "test"] for share in (1.0, 0.0))
    assert shared == own
