"""``StructuredDataLoader``: every answer from its row, no entity in both splits, forms kept apart."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from attar.pipeline import StructuredDataLoader
from attar.pipeline.data.questions.lookup import Lookup
from attar.pipeline.data.samples import Sample, read_samples, write_samples
from attar.pipeline.data.schema import written
from attar.runtime.errors import DataError
from tests.conftest import ROOT

TABLES = ROOT / "configs" / "tables"


def load(**settings: int) -> StructuredDataLoader:
    loader = StructuredDataLoader(**{"records_per_table": 300, "test_questions": 90, **settings})  # type: ignore[arg-type]
    loader.load_from_parquet(TABLES / "elements.parquet", label="element")
    loader.load_from_json(TABLES / "countries.json", label="country")
    loader.load_from_csv(TABLES / "airports.csv", label="airport", entity=["name", "iata"])
    return loader


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    return load().prepare_distillation_dataset()


def entity(sample: Sample) -> str:
    return sample.record.splitlines()[0]


def test_every_answer_is_what_its_row_says(samples: list[Sample]) -> None:
    rows = {table.schema.label: table.rows for table in load().tables}
    for sample in samples:
        if not sample.counterfactual:
            assert sample.answer == written(rows[sample.table][sample.rows[0]][sample.columns[0]])
        assert f":{sample.answer}\n" in f"{sample.record}\n"


def test_no_entity_and_no_form_is_in_both_splits(samples: list[Sample]) -> None:
    for key in (entity, lambda sample: sample.form):
        found = {split: {key(s) for s in samples if s.split == split} for split in ("train", "test")}
        assert found["train"] and found["test"]
        assert not found["train"] & found["test"]
    assert len(Lookup.forms["train"]) >= 10


def test_the_test_split_has_its_size_and_equal_parts(samples: list[Sample]) -> None:
    tables = Counter(sample.table for sample in samples if sample.split == "test")
    assert tables == {"element": 30, "country": 30, "airport": 30}
    shown = {(sample.table, sample.record) for sample in samples if sample.split == "train"}
    assert Counter(table for table, _ in shown) == {"element": 300, "country": 300, "airport": 300}


def test_a_small_table_comes_again_in_another_order() -> None:
    elements = [s for s in load().prepare_distillation_dataset() if s.table == "element" and s.split == "train"]
    orders = Counter(entity(sample) for sample in {s.record: s for s in elements}.values())
    assert max(orders.values()) >= 2
    assert len({sample.id for sample in elements}) > 0.99 * len(elements)


def test_swapped_values_come_from_the_same_column_of_training_rows(samples: list[Sample]) -> None:
    swapped = [sample for sample in samples if sample.counterfactual]
    assert {(sample.table, sample.split) for sample in swapped} == {("element", "train"), ("country", "train")}
    tables = {table.schema.label: table for table in load().tables}
    held_out = {(s.table, s.rows[0]) for s in samples if s.split == "test"}
    for sample in swapped:
        rows = tables[sample.table].rows
        (column,), (number,) = sample.columns, sample.rows
        known = {written(row[column]) for n, row in enumerate(rows) if (sample.table, n) not in held_out}
        assert sample.answer in known
        assert sample.record.startswith(f"{sample.table}:{tables[sample.table].schema.entity_of(rows[number])}\n")
    assert not any(sample.counterfactual for sample in load(counterfactual=False).prepare_distillation_dataset())


def test_samples_are_the_same_each_time_and_other_with_another_seed(samples: list[Sample]) -> None:
    assert load().prepare_distillation_dataset() == samples
    assert load(seed=1).prepare_distillation_dataset() != samples


def test_new_rows_never_move_old_ones_to_another_split(tmp_path: Path) -> None:
    def splits(names: list[str]) -> dict[str, str]:
        path = tmp_path / "t.csv"
        path.write_text("name,value\n" + "".join(f"{name},1\n" for name in names))
        loader = StructuredDataLoader(test_questions=10_000)
        loader.load_from_csv(path)
        return {pair.entity: pair.split for pair in loader.create_qa_pairs()}

    few = splits([f"n{number}" for number in range(200)])
    many = splits([f"n{number}" for number in range(400, -1, -1)])
    assert few.items() <= many.items()
    assert 0.08 < Counter(many.values())["test"] / len(many) < 0.22


def test_pairs_come_with_their_rows(cities: Path) -> None:
    loader = StructuredDataLoader()
    loader.load_from_csv(cities, label="city")
    pairs = loader.create_qa_pairs()
    assert pairs
    assert all(pair.answer == written(pair.row[pair.column]) and pair.row["name"] == pair.entity for pair in pairs)
    assert not any(pair.entity == "Évora" and pair.column == "founded" for pair in pairs)


def test_records_are_shown_in_the_tables_order(cities: Path) -> None:
    loader = StructuredDataLoader()
    loader.load_from_csv(cities, label="city", columns={"country": "land", "population": "people"})
    _, number, name, text = next(loader.records())
    assert (number, name, text) == (0, "Aarhus", "city:Aarhus\nland:Denmark\npeople:285273")


def test_an_error_names_the_file(cities: Path) -> None:
    with pytest.raises(DataError) as caught:
        StructuredDataLoader().load_from_csv(cities, entity="nmae")
    assert caught.value.where == str(cities)
    with pytest.raises(DataError, match="No table was loaded"):
        StructuredDataLoader().create_qa_pairs()


def test_samples_survive_the_disk(samples: list[Sample], tmp_path: Path) -> None:
    write_samples(tmp_path / "s.jsonl", samples)
    assert read_samples(tmp_path / "s.jsonl") == samples
    (tmp_path / "s.jsonl").write_text('{"id": 1}\n')
    with pytest.raises(DataError, match="samples can't be read"):
        read_samples(tmp_path / "s.jsonl")
