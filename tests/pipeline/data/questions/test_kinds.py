"""Every question kind: answers that follow from the rows, forms kept apart, wrong answers found out."""

from __future__ import annotations

import datetime
import random
from collections import defaultdict
from dataclasses import replace
from functools import cache

import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from attar.pipeline import StructuredDataLoader
from attar.pipeline.data import Sample, Source, verify
from attar.pipeline.data.questions import KINDS
from attar.runtime.errors import DataError
from tests.pipeline.data.questions.scenes import CORK, DELFT, FARO, HAARLEM, quickstart, scene

EQUAL = dict.fromkeys(KINDS, 1.0)


@cache
def loaded() -> tuple[StructuredDataLoader, dict[str, list[Sample]]]:
    loader = quickstart(kinds=EQUAL, records_per_table=150, test_questions=600)
    by_kind = defaultdict(list)
    for sample in loader.prepare_distillation_dataset():
        by_kind[sample.kind].append(sample)
    return loader, by_kind


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_asked_on_the_quickstarts_tables_in_both_splits(name: str) -> None:
    loader, by_kind = loaded()
    assert {sample.split for sample in by_kind[name]} == {"train", "test"}
    assert loader.refused[name] == 0
    found = verify(by_kind[name], loader.tables)
    assert found.right, found.faults[:3]
    assert found.checked == {name: len(by_kind[name])}


@pytest.mark.parametrize("name", KINDS)
def test_a_wrong_answer_is_refused(name: str) -> None:
    loader, by_kind = loaded()
    answers = {sample.answer for sample in by_kind[name]} | {"something else"}
    rng = random.Random(0)
    for sample in rng.sample(by_kind[name], min(40, len(by_kind[name]))):
        for wrong in rng.sample(sorted(answers - {sample.answer}), min(3, len(answers) - 1)):
            assert not verify([replace(sample, answer=wrong)], loader.tables).right, (sample, wrong)


@pytest.mark.parametrize("name", KINDS)
def test_another_question_or_record_than_the_rows_give_is_refused(name: str) -> None:
    loader, by_kind = loaded()
    for sample in by_kind[name][:20]:
        for changed in ({"question": sample.question + "?"}, {"record": sample.record + "\n"}, {"role": "nobody"}):
            assert not verify([replace(sample, **changed)], loader.tables).right  # type: ignore[arg-type]


@pytest.mark.parametrize("name", KINDS)
def test_the_samples_of_a_kind_use_many_of_its_forms(name: str) -> None:
    _, by_kind = loaded()
    used = {sample.form for sample in by_kind[name] if sample.split == "train"}
    assert len(used) >= 5
    assert all(form.startswith(f"{name}.train.") for form in used)


@pytest.mark.parametrize("name", KINDS)
def test_no_more_questions_than_asked_for_and_none_about_a_row_without_a_name(name: str) -> None:
    for seed in range(5):
        for split in ("train", "test"):
            made = scene(CORK, DELFT, HAARLEM, FARO, split=split)
            assert len(KINDS[name].generate(made, 1, random.Random(seed))) == 1
            nameless = scene({**CORK, "name": None}, DELFT, split=split)
            questions = KINDS[name].generate(nameless, 2, random.Random(seed))
            assert all(question.rows != (0,) for question in questions)


WORDS = st.text(min_size=1, max_size=12)
ROW = st.fixed_dictionaries(
    {
        "name": st.one_of(WORDS, st.sampled_from(["a; b", "{x}", "<|im_end|>", "-", "東京", "O'Hare %s"])),
        "kind": st.one_of(st.none(), st.sampled_from(["a", "A", "b", "12", "1.0"]), WORDS),
        "size": st.one_of(st.none(), st.integers(-(2**60), 2**60), st.integers(0, 5)),
        "share": st.one_of(st.none(), st.floats()),
        "day": st.one_of(st.none(), st.dates()),
        "moment": st.one_of(st.none(), st.datetimes(datetime.datetime(1700, 1, 1), datetime.datetime(2200, 1, 1))),
        "opening year": st.one_of(st.none(), st.integers(1900, 1910)),
        "open": st.one_of(st.none(), st.booleans()),
        "tags": st.one_of(st.none(), st.lists(WORDS, max_size=3)),
    }
)


@settings(max_examples=15, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=12), st.integers(0, 3))
def test_any_table_gives_only_samples_that_can_be_recomputed(rows: list[dict[str, object]], seed: int) -> None:
    types = {"size": pa.int64(), "share": pa.float64(), "day": pa.date32(), "moment": pa.timestamp("us")}
    types |= {"opening year": pa.int32(), "open": pa.bool_(), "tags": pa.list_(pa.string())}
    table = pa.table({key: pa.array([row[key] for row in rows], types.get(key, pa.string())) for key in rows[0]})
    loader = StructuredDataLoader(kinds=EQUAL, records_per_table=30, test_share=0.3, seed=seed)
    try:
        loader.load_source(Source.of_rows("memory", table), entity="name")
    except DataError:
        assume(False)  # nothing in it has a name and a value
    samples = loader.prepare_distillation_dataset()
    found = verify(samples, loader.tables)
    assert not found.faults
    assert all(sample.messages[-1]["content"] for sample in samples)
