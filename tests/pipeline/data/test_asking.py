"""Kinds by weight, on the same rows and records, the same each time."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest

from attar.pipeline import StructuredDataLoader
from attar.pipeline.data import KindUse, Sample
from attar.pipeline.data.asking import chosen_kinds
from attar.pipeline.data.questions import KINDS
from attar.runtime.errors import UsageError
from tests.pipeline.data.questions.scenes import quickstart

READING = ("lookup", "yes_no", "comparison", "count", "claim", "summary", "not_recorded", "tool_answer")


def samples(**settings: object) -> list[Sample]:
    return quickstart(**settings).prepare_distillation_dataset()


def test_counts_follow_the_weights_in_every_table_and_split() -> None:
    weights = {"lookup": 4.0, "claim": 2.0, "top_k": 1.0, "summary": 1.0, "route": 0.5, "abstain": 0}
    made = samples(kinds=weights, records_per_table=200, test_questions=300, questions_per_record=4)
    for table in ("element", "country", "airport"):
        for split in ("train", "test"):
            counts = Counter(sample.kind for sample in made if (sample.table, sample.split) == (table, split))
            for kind, weight in weights.items():
                assert abs(counts[kind] / counts.total() - weight / sum(weights.values())) < 0.06, (
                    table,
                    split,
                    counts,
                )


def test_what_a_table_has_no_question_of_leaves_its_part_to_the_others() -> None:
    made = samples(kinds={"date_shift": 1, "lookup": 1}, records_per_table=100, questions_per_record=4)
    counts = Counter((sample.table, sample.kind) for sample in made if sample.split == "train")
    assert counts["airport", "date_shift"] == 0
    assert counts["airport", "lookup"] == 400
    dated = {(s.table, *s.rows, s.seed) for s in made if s.table == "element" and "discovery_year" in s.shown}
    assert counts["element", "date_shift"] > 0.8 * len(dated), "the one column that is a year, nearly always"


def test_a_number_is_a_weight_and_rows_are_as_many_as_told() -> None:
    kinds = {"top_k": KindUse(weight=1, rows=3), "count": 1.0}
    made = samples(kinds=kinds, records_per_table=100)
    assert {len(sample.rows) for sample in made if sample.kind == "top_k"} == {3}
    assert {len(sample.rows) for sample in made if sample.kind == "count"} == {3, 4, 5}


def test_the_same_seed_gives_the_same_samples_and_another_gives_others() -> None:
    kinds = dict.fromkeys(KINDS, 1.0)
    made = samples(kinds=kinds, records_per_table=80)
    assert samples(kinds=kinds, records_per_table=80) == made
    assert samples(kinds=kinds, records_per_table=80, seed=1) != made
    assert len({sample.id for sample in made}) > 0.99 * len(made)


def test_other_kinds_beside_it_leave_the_records_and_splits_of_lookups_as_they_are() -> None:
    alone, beside = samples(records_per_table=100), samples(kinds={"lookup": 1, "claim": 1}, records_per_table=100)
    records = {sample.record for sample in alone}
    lookups = [sample for sample in beside if sample.kind == "lookup"]
    assert lookups
    assert {sample.record for sample in lookups} <= records


def test_no_row_of_the_test_split_is_shown_or_taken_from_in_training() -> None:
    held_out, trained = defaultdict(set), defaultdict(set)
    for sample in samples(kinds=dict.fromkeys(KINDS, 1.0), records_per_table=150):
        rows = held_out if sample.split == "test" else trained
        rows[sample.table] |= {*sample.rows, *(donor for donors in sample.donors for donor in donors)}
    for table, rows in held_out.items():
        assert not rows & trained[table]


def test_rows_that_come_again_are_swapped_for_every_kind_that_reads_records() -> None:
    made = samples(kinds=dict.fromkeys(READING, 1.0), records_per_table=150)
    swapped = Counter(sample.kind for sample in made if sample.counterfactual)
    assert set(swapped) == set(READING)
    assert all(len(sample.donors) == len(sample.rows) for sample in made if sample.counterfactual)
    assert not any(sample.counterfactual for sample in made if sample.split == "test")
    plain = samples(kinds=dict.fromkeys(READING, 1.0), records_per_table=150, counterfactual=False)
    assert not any(sample.counterfactual for sample in plain)


def test_a_sample_says_where_it_comes_from() -> None:
    for sample in samples(kinds=dict.fromkeys(KINDS, 1.0), records_per_table=60):
        assert sample.form.startswith(f"{sample.kind}.{sample.split}.")
        assert sample.rows
        assert sample.source_sha256
        assert sample.seed.startswith(f"0:{sample.table}:")
        assert sample.mode == "grounded"
        assert sample.columns or sample.tools


def test_pairs_of_every_kind_have_a_row() -> None:
    pairs = quickstart(kinds=dict.fromkeys(KINDS, 1.0), records_per_table=60).create_qa_pairs()
    assert {pair.kind for pair in pairs} == set(KINDS)
    assert all(pair.entity and pair.answer for pair in pairs)


@pytest.mark.parametrize(
    ("kinds", "said", "hint"),
    [
        ({"lokup": 1.0}, "no question kind 'lokup'", "Did you mean 'lookup'"),
        ({"riddle": 1.0}, "no question kind 'riddle'", "Name one of: lookup, "),
        ({"lookup": 0.0}, "No question kind has a weight", "Give one"),
    ],
)
def test_a_kind_that_is_not_there_is_an_error_that_names_one(kinds: dict[str, float], said: str, hint: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        StructuredDataLoader(kinds=kinds)
    assert hint in str(caught.value.next_step)
    assert chosen_kinds({"lookup": 1, "claim": 0}) == {"lookup": KindUse(1)}


def test_a_share_of_the_swapped_values_is_invented_and_all_else_stays() -> None:
    kinds = dict.fromkeys(READING, 1.0)
    plain, made = samples(kinds=kinds, records_per_table=150), samples(kinds=kinds, records_per_table=150, invented=0.5)
    assert {sample.id for sample in plain if not sample.donors} <= {sample.id for sample in made}
    invented = [sample for sample in made if sample.invented]
    assert invented
    assert all(sample.split == "train" and sample.donors and sample.counterfactual for sample in invented)
    assert set(Counter(sample.kind for sample in invented)) == set(READING)
    swapped = [sample for sample in made if sample.donors]
    values = sum(len(values) for sample in swapped for values in sample.invented)
    shown = sum(len(donors) for sample in swapped for donors in sample.donors)
    assert 0.25 * shown < values < 0.55 * shown, "half of them, but for gaps and columns without a pattern"
    lookups = [sample for sample in invented if sample.kind == "lookup" and sample.columns[0] in sample.invented[0]]
    assert all(sample.answer == sample.invented[0][sample.columns[0]] for sample in lookups)
    assert lookups
