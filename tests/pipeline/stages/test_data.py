"""Stage ``data``: what it writes in each mode, and what it says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attar.pipeline.config import RunConfig
from attar.pipeline.data import verify
from attar.pipeline.stages import Stages, data
from attar.pipeline.stages.store import Product


def made(folder: Path, table: Path, **settings: Any) -> tuple[Product, RunConfig]:
    section = {"tables": [{"path": str(table), "label": "city"}], "test_share": 0.5, "records_per_table": 12}
    config = RunConfig.model_validate(
        {"name": "t", "data": section | settings, "distillation": {"teacher_model_name": "none"}}
    )
    stages = Stages(folder, [data.stage(config)])
    stages.make("data")
    return stages.products["data"], config


def test_a_grounded_run_carries_records_and_a_closed_book_one_none(cities: Path, tmp_path: Path) -> None:
    grounded, _ = made(tmp_path / "a", cities)
    assert set(grounded.facts["modes"]) == {"grounded"}
    assert (grounded.path / data.RECORDS).is_file()
    closed, config = made(tmp_path / "b", cities, mode="closed_book")
    assert set(closed.facts["modes"]) == {"closed_book"}
    assert closed.facts["records"] == 0
    assert not (closed.path / data.RECORDS).exists()
    tables = data.configured_loader(config, data.sources_of(config)).tables
    assert verify([*data.training_samples(closed), *data.test_samples(closed)], tables).right


def test_a_model_of_gibberish_is_counted_and_changes_nothing(
    cities: Path, teacher_folder: Path, tmp_path: Path
) -> None:
    plain, _ = made(tmp_path / "a", cities)
    tried, _ = made(tmp_path / "b", cities, paraphrase={"model": str(teacher_folder), "share": 0.3})
    assert plain.facts["paraphrased"] == {}
    assert sum(tried.facts["paraphrased"].values()) > 0
    assert "kept" not in tried.facts["paraphrased"]
    assert data.training_samples(plain) == data.training_samples(tried)
