"""A set by itself: a build that can't prove its splits makes nothing, and verify proves them again as it did."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from attar.pipeline.config import RunConfig
from attar.pipeline.data import loader, read_samples, write_samples
from attar.pipeline.data.splits import RowSplits
from attar.pipeline.dataset import build_samples, verify_samples
from attar.runtime.errors import DataError
from attar.runtime.files import sha256_text

CITIES = [f"City {letter}" for letter in "ABCDEFGHIJKLMNOP"]
CASES = ("an entity", "near-duplicates", "a link")


def config(folder: Path, shared: str) -> RunConfig:
    """Tables of sixteen cities, of which rows belong together by one thing alone."""
    tables: list[dict[str, Any]] = [{"path": str(folder / "city.csv"), "entity": ["name"]}]
    lines = [f"{name},{n * 37 % 101},{n}" for n, name in enumerate(CITIES)]
    if shared == "an entity":
        lines = [f"{name},{year * 1000 + n},{year}" for n, name in enumerate(CITIES) for year in (1, 2)]
    elif shared == "near-duplicates":
        stories = [" ".join(sha256_text(f"{name}{part}") for part in range(3)) for name in CITIES]
        lines = [f"{name}{end},{n},{stories[n]}" for n, name in enumerate(CITIES) for end in ("", " town")]
    else:
        streets = [f"street {n} {m},{name},{n * 7 + m}" for n, name in enumerate(CITIES) for m in (1, 2)]
        (folder / "street.csv").write_text("\n".join(["street,city,length", *streets]) + "\n")
        tables.append({"path": str(folder / "street.csv"), "entity": ["street"], "links": {"city": "city"}})
    (folder / "city.csv").write_text("\n".join(["name,size,note", *lines]) + "\n")
    data = {"tables": tables, "test_share": 0.4, "test_questions": 9999}
    return RunConfig.model_validate({"name": "t", "data": data, "distillation": {"teacher_model_name": "none"}})


@pytest.mark.parametrize("shared", CASES)
def test_a_build_that_cannot_prove_its_splits_fails_and_keeps_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared: str
) -> None:
    def every_second(schema: object, rows: Iterable[tuple[int, Mapping[str, object]]], **how: object) -> RowSplits:
        numbers = [number for number, _ in rows]
        return RowSplits({"train": numbers[::2], "test": numbers[1::2]})

    settings = config(tmp_path, shared)
    monkeypatch.setattr(loader, "split_rows", every_second)
    with pytest.raises(DataError, match="not proved to be apart") as caught:
        build_samples(settings, tmp_path / "runs")
    assert caught.value.exit_code == 4
    assert not (tmp_path / "runs" / "t" / "stages" / "data").exists()
    monkeypatch.undo()
    product, _ = build_samples(settings, tmp_path / "runs")
    assert (product.path / "train.parquet").is_file()


@pytest.mark.parametrize("shared", CASES)
def test_verify_finds_what_a_set_shares_that_was_changed_since(tmp_path: Path, shared: str) -> None:
    settings = config(tmp_path, shared)
    product, _ = build_samples(settings, tmp_path / "runs")
    assert verify_samples(settings, tmp_path / "runs").right
    samples = read_samples(product.path)
    train = [one for one in samples if one.split == "train" and (one.table == "street") == (shared == "a link")]
    moved = min(train, key=lambda one: one.rows).rows
    doctored = [replace(one, split="test") if one in train and one.rows == moved else one for one in samples]
    for split in ("train", "test"):
        write_samples(tmp_path / "set" / f"{split}.parquet", (one for one in doctored if one.split == split))
    found = verify_samples(settings, tmp_path / "runs", tmp_path / "set")
    assert not found.right
    assert "They share" in found.shared[0]
