"""Stage ``data``: what it writes in each mode, and what it says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attar.pipeline.config import RunConfig
from attar.pipeline.data import verify
from attar.pipeline.data.manifest import read_manifest
from attar.pipeline.data.render import rendered_length
from attar.pipeline.stages import Stages, data
from attar.pipeline.stages.store import Product
from attar.pipeline.teacher.loading import load_tokenizer


def made(folder: Path, table: Path, teacher: str = "none", **settings: Any) -> tuple[Product, RunConfig]:
    section = {"tables": [{"path": str(table), "label": "city"}], "test_share": 0.5, "records_per_table": 12}
    config = RunConfig.model_validate(
        {"name": "t", "data": section | settings, "distillation": {"teacher_model_name": teacher}}
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


def test_what_is_longer_than_max_tokens_is_dropped_and_counted_and_nothing_is_cut(
    cities: Path, teacher_folder: Path, tmp_path: Path
) -> None:
    tokenizer, teacher = load_tokenizer(str(teacher_folder)), str(teacher_folder)
    asked: dict[str, Any] = {"kinds": {"lookup": 1, "claim": 1}, "counterfactual": False}
    plain, _ = made(tmp_path / "a", cities, teacher, **asked)
    samples = [*data.training_samples(plain), *data.test_samples(plain)]
    lengths = sorted(rendered_length(sample, tokenizer) for sample in samples)
    most = lengths[len(lengths) // 2]
    assert most < lengths[-1]
    short, _ = made(tmp_path / "b", cities, teacher, **asked, max_tokens=most)
    kept = [*data.training_samples(short), *data.test_samples(short)]
    assert max(rendered_length(sample, tokenizer) for sample in kept) <= most
    assert {(one.id, one.answer) for one in kept} <= {(one.id, one.answer) for one in samples}
    dropped = read_manifest(short.path)["dropped"]["it has more than max_tokens with its answer"]
    assert dropped >= len(samples) - len(kept) > 0


def test_linked_tables_are_parted_together_and_the_set_says_so(tmp_path: Path) -> None:
    cities = [f"City {letter}" for letter in "ABCDEFGHIJKLMNOP"]
    (tmp_path / "city.csv").write_text("name,size\n" + "".join(f"{name},{n}\n" for n, name in enumerate(cities)))
    streets = [f"{name} street {n},{name},{n}\n" for name in cities for n in range(3)]
    (tmp_path / "street.csv").write_text("street,city,length\n" + "".join(streets))
    linked = {"path": str(tmp_path / "street.csv"), "entity": ["street"], "links": {"city": "city"}}
    product, _ = made(
        tmp_path / "a", tmp_path / "city.csv", tables=[linked, {"path": str(tmp_path / "city.csv")}], test_share=0.3
    )
    manifest = read_manifest(product.path)
    assert manifest["tables"][0]["links"] == {"city": "city"}
    assert manifest["split_proof"]["shared_groups"] == 0
    assert sum(manifest["split_proof"]["groups"].values()) <= len(cities)
    splits: dict[str, set[str]] = {}
    for sample in [*data.training_samples(product), *data.test_samples(product)]:
        if sample.table == "street":
            splits.setdefault(sample.keys[0][:6], set()).add(sample.split)
    assert set(map(len, splits.values())) == {1}


def test_the_teacher_is_in_the_key_only_where_its_tokens_are_counted(cities: Path, tmp_path: Path) -> None:
    def key(teacher: str, **settings: Any) -> str:
        section = {"tables": [{"path": str(cities), "label": "city"}]} | settings
        config = RunConfig.model_validate(
            {"name": "t", "data": section, "distillation": {"teacher_model_name": teacher}}
        )
        return Stages(tmp_path, [data.stage(config)]).keys["data"]

    assert key("one") == key("other")
    assert key("one", max_tokens=99) != key("other", max_tokens=99)
