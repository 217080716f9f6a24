"""The proof of the splits finds what they share, whoever made the samples."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from attar.pipeline import StructuredDataLoader
from attar.pipeline.data import read_samples, write_samples
from attar.pipeline.data.lineage import prove_splits
from attar.runtime.errors import DataError
from tests.conftest import ROOT


def test_a_set_is_proved_from_its_files_and_a_doctored_one_refused(tmp_path: Path) -> None:
    loader = StructuredDataLoader(test_questions=40)
    loader.load_from_json(ROOT / "configs" / "tables" / "countries.json", label="country")
    samples = loader.prepare_distillation_dataset()
    write_samples(tmp_path / "s.parquet", samples)
    read = read_samples(tmp_path / "s.parquet")
    assert read == samples
    proof = prove_splits(read, loader.tables)
    assert (proof["shared_groups"], proof["near_duplicate_pairs_across"]) == (0, 0)
    train = next(one for one in read if one.split == "train")
    with pytest.raises(DataError, match="not proved"):
        prove_splits([*read, replace(train, split="test")], loader.tables)


def test_near_duplicates_across_the_splits_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    text = "a text that is long enough to be taken for the same by whoever reads it twice in two places"
    path.write_text(f"name,text\nBirch grove,{text}\nBirch groves,{text}\nElm,something else\n")
    loader = StructuredDataLoader(test_share=0.5)
    loader.load_from_csv(path)
    samples = loader.prepare_distillation_dataset()
    doctored = [replace(one, split="test" if one.rows == [1] else "train") for one in samples]
    assert {one.rows[0] for one in doctored} >= {0, 1}
    with pytest.raises(DataError, match="1 pairs of near-duplicate"):
        prove_splits(doctored, loader.tables)
