"""The card beside a set: what it says is what the files hold, and ``datasets`` reads the set by it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from attar.pipeline import StructuredDataLoader
from attar.pipeline.data import read_samples
from attar.pipeline.data.card import dataset_card
from attar.pipeline.data.manifest import manifest_of
from attar.pipeline.data.samples import Sample, write_samples
from attar.runtime.files import write_atomic
from tests.conftest import ROOT

TABLES = ROOT / "configs" / "tables"
KINDS = {"lookup": 1.0, "tool_call": 1.0, "claim": 1.0}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of two tables, with its card."""
    folder = tmp_path_factory.mktemp("set")
    loader = StructuredDataLoader(kinds=KINDS, records_per_table=50, test_questions=40)
    loader.load_from_parquet(TABLES / "elements.parquet", label="element")
    loader.load_from_json(TABLES / "countries.json", label="country")
    samples = loader.prepare_distillation_dataset()
    for split in ("train", "test"):
        write_samples(folder / f"{split}.parquet", (one for one in samples if one.split == split))
    manifest = manifest_of(folder, loader)
    write_atomic(folder / "dataset.json", json.dumps(manifest))
    write_atomic(folder / "rejects.jsonl", "")
    write_atomic(
        folder / "README.md", dataset_card("elements and | countries", manifest, ["MIT (mendeleev)", "CC0-1.0"])
    )
    return folder


@pytest.fixture
def datasets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The library, which keeps what it reads in a folder of the test."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()
    return datasets


def by_split(folder: Path) -> dict[str, list[Sample]]:
    return {split: read_samples(folder / f"{split}.parquet") for split in ("train", "test")}


def test_datasets_reads_the_folder_by_its_card(folder: Path, datasets: Any) -> None:
    found = datasets.load_dataset(str(folder))
    assert {split: rows["id"][:] for split, rows in found.items()} == {
        split: [sample.id for sample in samples] for split, samples in by_split(folder).items()
    }


def test_datasets_reads_the_files_alone(folder: Path, datasets: Any) -> None:
    files = {split: str(folder / f"{split}.parquet") for split in ("train", "test")}
    found = datasets.load_dataset("parquet", data_files=files)
    for split, samples in by_split(folder).items():
        for row, sample in zip(found[split], samples, strict=True):
            assert row["messages"][-1] == {"role": "assistant", "content": sample.answer}
            assert row["messages"][:-1] == [{"role": m["role"], "content": m["content"]} for m in sample.messages]
            assert (row["rows"], row["keys"]) == (sample.rows, sample.keys)
            assert json.loads(row["tools"]) == sample.tools


def test_the_card_says_what_the_files_hold(folder: Path) -> None:
    card, samples = (folder / "README.md").read_text(encoding="utf-8"), by_split(folder)
    for kind in KINDS:
        counts = [sum(sample.kind == kind for sample in samples[split]) for split in ("train", "test")]
        assert f"| {kind} | {counts[0]} | {counts[1]} |" in card
    for words in (
        'license: ["mit", "cc0-1.0"]',
        'pretty_name: "elements and | countries"',
        "size_categories: [n<1K]",
        "Mode `grounded`",
        "shared: 0; pairs of near-duplicate rows across: 0",
        f"| country | 251 | {TABLES / 'countries.json'} | CC0-1.0 |",
    ):
        assert words in card


@pytest.mark.parametrize(
    ("terms", "license"),
    [
        ("CC-BY-SA-4.0", "cc-by-sa-4.0"),
        ("ODbL-1.0 (OpenStreetMap)", "odbl"),
        ("public domain", "other"),
        ("", "other"),
        ("unknown", "unknown"),
    ],
)
def test_licenses_are_called_as_the_hub_calls_them(folder: Path, terms: str, license: str) -> None:  # noqa: A002
    manifest = json.loads((folder / "dataset.json").read_text())
    assert f"\nlicense: {license}\n" in dataset_card("x", manifest, [terms, terms])


def test_a_set_says_its_size_and_what_was_left_out(folder: Path) -> None:
    manifest = json.loads((folder / "dataset.json").read_text())
    manifest["samples"][0]["count"] = 100_000
    manifest["rows_left_out"] = {"a row without a name": 1234}
    manifest["tables"][0]["note"] = "Only some rows were looked at."
    card = dataset_card("x", manifest, ["MIT", "MIT"])
    for words in ("100K<n<1M", "- a row without a name: 1,234", "element: Only some rows were looked at."):
        assert words in card
