"""The independent pass: everything that a sample says is recomputed from its source."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from attar.pipeline import StructuredDataLoader
from attar.pipeline.data import Sample, read_samples, verify, write_samples
from attar.pipeline.data.questions import KINDS
from tests.pipeline.data.questions.scenes import quickstart

EVERY = dict.fromkeys(KINDS, 1.0)


@cache
def made() -> tuple[StructuredDataLoader, list[Sample]]:
    loader = quickstart(kinds=EVERY, records_per_table=150)
    return loader, loader.prepare_distillation_dataset()


def test_all_samples_are_right_and_counted_by_kind(tmp_path: Path) -> None:
    _, samples = made()
    write_samples(tmp_path / "s.jsonl", samples)
    read = read_samples(tmp_path / "s.jsonl")
    assert read == samples
    found = verify(read, quickstart().tables)  # tables read anew
    assert found.right, found.faults[:3]
    assert found.checked.total() == len(samples)
    assert set(found.to_dict()["checked"]) == set(KINDS)
    assert not verify([], []).right, "nothing checked is nothing proved"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"kind": "riddle"}, "no question kind"),
        ({"split": "test"}, "form belongs to another"),
        ({"form": "lookup.train.999"}, "can't be recomputed"),
        ({"rows": [-1]}, "can't be recomputed"),
        ({"rows": [10**9]}, "can't be recomputed"),
        ({"rows": []}, "does not show"),
        ({"columns": []}, "can't be recomputed"),
        ({"columns": ["nothing"]}, "does not follow"),
        ({"shown": ["symbol"]}, "does not show"),
        ({"keys": ["Unobtainium"]}, "not those that its keys name"),
        ({"answer": "anything"}, "id is not that"),
        ({"id": "0" * 16}, "id is not that"),
        ({"source_sha256": "0" * 64}, "has changed"),
        ({"turns": [{"role": "user", "content": "?"}]}, "turns do not say"),
        ({"tools": [{"type": "function"}]}, "id is not that"),
    ],
)
def test_what_is_changed_is_found_out(changes: dict[str, object], why: str) -> None:
    loader, samples = made()
    sample = next(one for one in samples if one.kind == "lookup" and one.split == "train" and one.table == "element")
    (fault,) = verify([replace(sample, **changes)], loader.tables).faults  # type: ignore[arg-type]
    assert why in fault.why


def test_swapped_values_are_followed_to_the_rows_that_gave_them() -> None:
    loader, samples = made()
    sample = next(one for one in samples if one.counterfactual and one.kind == "lookup")
    table = next(table for table in loader.tables if table.schema.label == sample.table)
    place = [column.name for column in table.schema.columns].index(sample.columns[0])
    assert sample.answer in str(table.rows[sample.donors[0][place]][sample.columns[0]])
    assert verify([replace(sample, donors=[])], loader.tables).faults
    shifted = [[(number + 1) % len(table.rows) for number in sample.donors[0]]]
    assert verify([replace(sample, donors=shifted)], loader.tables).faults
    test = next(one for one in samples if one.split == "test" and one.kind == "lookup")
    (fault,) = verify([replace(test, donors=[[0]])], loader.tables).faults
    assert "swapped" in fault.why


def test_a_table_that_has_changed_since_is_noticed() -> None:
    loader, samples = made()
    others = [table for table in loader.tables if table.schema.label != "country"]
    faults = verify(samples, others).faults
    assert {fault.id for fault in faults} == {sample.id for sample in samples if sample.table == "country"}


def test_invented_values_are_recomputed_and_have_to_fit_and_be_new() -> None:
    loader = quickstart(kinds=EVERY, records_per_table=150, invented=0.5)
    samples = loader.prepare_distillation_dataset()
    found = verify(samples, quickstart().tables)
    assert found.right, found.faults[:3]
    sample = next(one for one in samples if one.kind == "lookup" and "density" in (one.invented or [{}])[0])
    for value, why in (("many", "not like its column's"), ("0.97", "stands in a row"), ("12.3456789", "not like")):
        (fault,) = verify([replace(sample, invented=[{"density": value}])], loader.tables).faults
        assert why in fault.why
    assert verify([replace(sample, invented=[])], loader.tables).faults
    test = next(one for one in samples if one.split == "test" and one.table == "element")
    assert verify([replace(test, invented=sample.invented)], loader.tables).faults
