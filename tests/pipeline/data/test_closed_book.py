"""Closed book: facts in at least five forms, test forms of their own, and rows that are never known."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from attar.pipeline import StructuredDataLoader
from attar.pipeline.data import Sample, verify
from attar.pipeline.data.closed_book import CLOSED_BOOK_KINDS, FORMS_PER_FACT
from attar.pipeline.data.schema import written
from attar.runtime.errors import UsageError
from attar.runtime.prompts import NOT_FOUND, answer_prompt
from tests.pipeline.data.questions.scenes import quickstart

SETTINGS = {"mode": "closed_book", "kinds": dict.fromkeys(CLOSED_BOOK_KINDS, 1.0), "records_per_table": None}


@cache
def made() -> tuple[StructuredDataLoader, list[Sample]]:
    loader = quickstart(**SETTINGS | {"records_per_table": 150, "test_questions": 120})
    return loader, loader.prepare_distillation_dataset()


def fact(sample: Sample) -> tuple[str, int, str, str]:
    return sample.table, sample.rows[0], sample.columns[0], sample.kind


def of(samples: list[Sample], split: str, known: bool = True) -> list[Sample]:
    return [sample for sample in samples if sample.split == split and (sample.kind != "abstain") == known]


def test_no_prompt_shows_a_record_and_it_is_what_an_agent_without_records_sends() -> None:
    loader, samples = made()
    assert {sample.mode for sample in samples} == {"closed_book"}
    assert not any(sample.record or sample.shown or sample.donors for sample in samples)
    assert all(sample.messages == answer_prompt(sample.question, None) for sample in samples)
    assert list(loader.records()) == [], "with records beside it an agent would not ask the student"


def test_every_fact_is_trained_in_five_forms_or_more_and_tested_in_another() -> None:
    _, samples = made()
    forms = defaultdict(set)
    for sample in of(samples, "train"):
        forms[fact(sample)].add(sample.form)
    # Another row's question may have been dropped for having two answers; none of these tables has one.
    assert min(map(len, forms.values())) >= FORMS_PER_FACT
    tested = of(samples, "test")
    assert {sample.kind for sample in tested} == set(CLOSED_BOOK_KINDS)
    assert all(fact(sample) in forms for sample in tested)
    assert not {sample.form for sample in of(samples, "train")} & {sample.form for sample in tested}
    assert not {sample.question for sample in of(samples, "train")} & {sample.question for sample in tested}


def test_unknown_rows_are_abstained_from_in_both_splits_and_never_known() -> None:
    _, samples = made()
    known = {fact(sample)[:2] for sample in samples if sample.kind != "abstain"}
    unknown = {split: {fact(sample)[:2] for sample in of(samples, split, known=False)} for split in ("train", "test")}
    assert unknown["train"] and unknown["test"]
    assert not unknown["train"] & unknown["test"]
    assert not known & (unknown["train"] | unknown["test"])
    assert {sample.answer for sample in samples if sample.kind == "abstain"} == {NOT_FOUND}
    share = len(of(samples, "train", known=False)) / len(of(samples, "train"))
    assert 0.05 < share < 0.3
    assert len(of(samples, "test", known=False)) <= 0.3 * sum(sample.split == "test" for sample in samples)


def test_unknown_rows_are_those_that_a_grounded_run_holds_out() -> None:
    _, samples = made()
    small = [sample for sample in samples if sample.table == "element"]
    grounded = quickstart(test_questions=5000, records_per_table=1).prepare_distillation_dataset()
    held_out = {(sample.table, sample.rows[0]) for sample in grounded if sample.split == "test"}
    assert {fact(sample)[:2] for sample in small if sample.kind == "abstain"} <= held_out


def test_a_value_asked_backwards_is_that_of_one_row_alone() -> None:
    loader, samples = made()
    rows = {table.schema.label: table.rows for table in loader.tables}
    backwards = [sample for sample in samples if sample.kind == "reverse_lookup"][:50]
    for sample in backwards:
        having = [row for row in rows[sample.table] if written(row[sample.columns[0]]) == sample.given["value"]]
        assert having == [rows[sample.table][sample.rows[0]]]
    assert backwards


def test_all_samples_verify_and_what_is_changed_does_not() -> None:
    loader, samples = made()
    found = verify(samples, quickstart().tables)
    assert found.right, found.faults[:3]
    lookup, yes_no = (next(one for one in samples if one.kind == kind) for kind in ("lookup", "yes_no"))
    abstain = next(one for one in samples if one.kind == "abstain")
    for wrong in (
        replace(lookup, answer="anything"),
        replace(lookup, mode="grounded"),
        replace(lookup, mode="open_book"),
        replace(lookup, record="country: Denmark"),
        replace(lookup, rows=[(lookup.rows[0] + 1) % 50]),
        replace(yes_no, answer="no" if yes_no.answer == "yes" else "yes"),
        replace(abstain, rows=[(abstain.rows[0] + 1) % 50]),
        replace(abstain, kind="claim", form="claim.train.0"),
    ):
        assert not verify([wrong], loader.tables).right, wrong


def test_a_row_that_is_abstained_from_and_asked_for_is_found_out(tmp_path: Path) -> None:
    one, other = (letters(tmp_path / "t.csv", salt=salt) for salt in ("one", "other"))
    found = verify([*one.prepare_distillation_dataset(), *other.prepare_distillation_dataset()], one.tables)
    assert found.faults
    assert {fault.why for fault in found.faults} == {"it abstains from a row that is asked for elsewhere"}


def letters(path: Path, **settings: str) -> StructuredDataLoader:
    """A loader on a table in which two rows have one name."""
    rows = "".join(f"c{number},{path.stem}{number},{number}\n" for number in range(60))
    path.write_text(f"name,land,people\nCork,IE,1\nCork,US,2\n{rows}")
    loader = StructuredDataLoader(mode="closed_book", test_questions=50, **settings)  # type: ignore[arg-type]
    loader.load_from_csv(path, entity="name", label="city")
    return loader


def test_rows_of_one_name_and_questions_of_two_answers_are_left_out_and_counted(tmp_path: Path) -> None:
    loader = letters(tmp_path / "x.csv")
    alone = loader.prepare_distillation_dataset()
    assert not any("Cork" in sample.question for sample in alone)
    assert loader.dropped == {"a name of several rows, with no record to tell them apart": 2}
    loader.tables += letters(tmp_path / "y.csv").tables
    answers = defaultdict(set)
    for sample in loader.prepare_distillation_dataset():
        answers[sample.question].add(sample.answer)
    assert all(len(found) == 1 for found in answers.values())
    assert loader.dropped["a question with several answers"] > 0


def test_the_same_seed_gives_the_same_samples_and_a_limit_takes_fewer_rows() -> None:
    _, samples = made()
    again = quickstart(**SETTINGS | {"records_per_table": 150, "test_questions": 120}).prepare_distillation_dataset()
    assert again == samples
    rows = {fact(sample)[:2] for sample in samples if sample.kind != "abstain" and sample.table == "airport"}
    assert len(rows) == 150 // FORMS_PER_FACT


def test_kinds_that_need_a_record_and_other_modes_are_refused() -> None:
    with pytest.raises(UsageError, match="'top_k' needs a record"):
        StructuredDataLoader(mode="closed_book", kinds={"lookup": 1, "top_k": 1})
    with pytest.raises(UsageError, match="no mode 'open_book'"):
        StructuredDataLoader(mode="open_book")
