"""``attar data``, as a person calls it: check, build, verify and show on one small table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from attar.pipeline.config import load_config
from attar.pipeline.run import stages_of
from tests.conftest import CITIES
from tests.pipeline.verbs.test_config import call
from tests.runtime.test_cli import fastest
from tests.runtime.test_imports import modules_after


@pytest.fixture
def recipe(cities: Path, teacher_folder: Path) -> Path:
    path = cities.parent / "recipe.json"
    data = {
        "tables": [{"path": "cities.csv", "label": "city"}],
        "test_share": 0.5,
        "kinds": {"lookup": 1, "claim": 1, "tool_call": 1},
    }
    teacher = {"teacher_model_name": str(teacher_folder)}
    path.write_text(json.dumps({"name": "cities", "data": data, "distillation": teacher}))
    return path


@pytest.fixture
def runs(recipe: Path) -> Path:
    return recipe.parent / "runs"


@pytest.fixture
def built(recipe: Path, runs: Path) -> Path:
    done = call("data", "build", recipe, "--runs", runs)
    assert done.exit_code == 0, done.output
    return recipe


def test_check_shows_tables_and_samples_and_writes_a_page(recipe: Path, runs: Path) -> None:
    done = call("data", "check", recipe, "--runs", runs)
    assert done.exit_code == 0, done.output
    for words in ("city: 8 rows, named by name", "founded", "1 gaps", "lookup", "tool_call", "Nothing to look at."):
        assert words in done.stdout
    assert "at most" in done.stdout and "tokens with its answer" in done.stdout
    assert "tokens of a prompt" in (runs / "cities" / "data-check.html").read_text()
    assert not (runs / "cities" / "stages").exists(), "a check makes nothing"


def test_check_says_as_much_in_json(recipe: Path, runs: Path) -> None:
    out = recipe.parent / "page.html"
    value = json.loads(call("data", "check", recipe, "--runs", runs, "--html", out, "--no-tokens", "--json").stdout)
    assert (value["usable"], value["tables"][0]["rows"], value["trial"]["no_tokens"]) == (True, 8, "not asked for")
    assert out.is_file()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--set", "data.test_share=1e-9"], 1),
        (["--set", "data.tables.0.path=gone.csv"], 4),
        (["--set", "data.test_shar=1"], 2),
    ],
)
def test_check_exits_by_what_is_wrong(recipe: Path, runs: Path, arguments: list[str], code: int) -> None:
    assert call("data", "check", recipe, "--runs", runs, "--no-tokens", *arguments).exit_code == code


def test_check_counts_what_is_longer_than_max_tokens_unless_it_counts_no_tokens(recipe: Path, runs: Path) -> None:
    short = ["--set", "data.max_tokens=100", "--json"]
    counted = json.loads(call("data", "check", recipe, "--runs", runs, *short).stdout)["trial"]
    assert counted["longest"] <= 100
    assert counted["dropped"]["it has more than max_tokens with its answer"] > 0
    assert (
        json.loads(call("data", "check", recipe, "--runs", runs, "--no-tokens", *short).stdout)["trial"]["dropped"]
        == {}
    )


def test_check_goes_on_without_the_teachers_tokenizer(recipe: Path, runs: Path) -> None:
    gone = ["--set", "distillation.teacher_model_name=./gone"]
    done = call("data", "check", recipe, "--runs", runs, *gone)
    assert done.exit_code == 0, done.output
    assert "can't be loaded" in done.stdout


def test_build_makes_what_a_run_finds_there(built: Path, runs: Path) -> None:
    stages = stages_of(load_config(built), runs)
    assert stages.found("data") is not None
    value = json.loads(call("data", "build", built, "--runs", runs, "--json").stdout)
    assert value["cached"] is True
    assert set(value["kinds"]) == {"lookup", "claim", "tool_call"}
    assert all(splits["train"] > 0 for splits in value["kinds"].values())


def test_build_says_what_was_left_out_as_the_set_does(recipe: Path, runs: Path) -> None:
    table = recipe.parent / "cities.csv"
    table.write_text(table.read_text(encoding="utf-8") + ",Nowhere,1,\n", encoding="utf-8")
    named = ["--set", 'data.tables.0.entity=["name"]', "--set", "data.caps.answer=0.1"]
    done = call("data", "build", recipe, "--runs", runs, "--set", "data.records_per_table=40", *named)
    assert done.exit_code == 0, done.output
    manifest = json.loads((runs / "cities" / "stages" / "data" / "dataset.json").read_text())
    assert manifest["rows_left_out"] == {"a row without a name": 1}
    assert manifest["dropped"]["too many samples of its kind have its answer"] > 0
    for reason, count in (manifest["rows_left_out"] | manifest["dropped"]).items():
        assert f"left out, {reason}: {count}" in done.stdout


def test_a_corrected_license_is_in_the_card_and_makes_nothing_anew(built: Path, runs: Path) -> None:
    card = runs / "cities" / "stages" / "data" / "README.md"
    assert "license: unknown" in card.read_text()
    given = ["--set", "data.tables.0.license=CC0-1.0"]
    assert json.loads(call("data", "build", built, "--runs", runs, "--json", *given).stdout)["cached"] is True
    assert "license: cc0-1.0" in card.read_text()


def test_build_copies_the_set_where_it_is_wanted(built: Path, runs: Path) -> None:
    out = built.parent / "set"
    assert call("data", "build", built, "--runs", runs, "--out", out).exit_code == 0
    made = runs / "cities" / "stages" / "data"
    assert {path.name: path.read_bytes() for path in out.iterdir()} == {
        path.name: path.read_bytes() for path in made.iterdir()
    }
    assert call("data", "verify", built, "--runs", runs, "--data", out).exit_code == 0
    assert call("data", "build", built, "--runs", runs, "--out", built.parent).exit_code == 3


def test_verify_recomputes_every_sample(built: Path, runs: Path) -> None:
    made = json.loads(call("data", "build", built, "--runs", runs, "--json").stdout)["kinds"]
    value = json.loads(call("data", "verify", built, "--runs", runs, "--json").stdout)
    assert value["checked"] == {kind: sum(splits.values()) for kind, splits in made.items()}
    assert (value["right"], value["faults"], value["shared"]) == (True, [], [])


def test_verify_finds_what_no_longer_follows_from_the_table(built: Path, runs: Path) -> None:
    out = built.parent / "set"
    call("data", "build", built, "--runs", runs, "--out", out)
    (built.parent / "cities.csv").write_text(CITIES.replace("Denmark", "Sweden"), encoding="utf-8")
    assert call("data", "verify", built, "--runs", runs).exit_code == 2, "today's samples are not made"
    done = call("data", "verify", built, "--runs", runs, "--data", out)
    assert done.exit_code == 1
    assert "has changed" in done.stdout


def test_show_prints_a_sample_with_its_row(built: Path, runs: Path) -> None:
    every = call("data", "show", "", built, "--runs", runs)
    assert (every.exit_code, "samples have ids that begin with" in every.stderr) == (2, True)
    some = every.stderr.split("Give one of: ")[1].split(",")[0]
    done = call("data", "show", some, built, "--runs", runs)
    assert done.exit_code == 0, done.output
    value = json.loads(call("data", "show", some, built, "--runs", runs, "--json").stdout)
    assert value["sample"]["id"] == some
    for text in (value["sample"]["answer"], value["sample"]["form"], *value["rows"][0]["values"].values()):
        assert text in done.stdout
    assert value["sample"]["keys"] == [row["values"]["name"] for row in value["rows"]]
    assert f"rows: {value['rows'][0]['row']}" in done.stdout
    assert f"keys: {value['sample']['keys'][0]}" in done.stdout
    assert f"{built.parent / 'cities.csv'}" in value["rows"][0]["where"]


def test_show_of_an_unknown_id_names_near_ones(built: Path, runs: Path) -> None:
    done = call("data", "show", "zzzz", built, "--runs", runs)
    assert done.exit_code == 2
    assert "no sample 'zzzz'" in done.stderr
    assert "Give one of" in done.stderr


def test_without_a_build_there_is_nothing_to_verify_or_show(recipe: Path, runs: Path) -> None:
    for verb in (["verify", recipe], ["show", "00", recipe]):
        done = call("data", *verb, "--runs", runs)
        assert done.exit_code == 2
        assert "attar data build" in done.stderr


@pytest.mark.parametrize("verb", [(), ("check",), ("build",), ("verify",), ("show",)])
def test_help_is_fast_and_has_an_example(verb: tuple[str, ...]) -> None:
    done, seconds = fastest("data", *verb, "--help")
    assert done.returncode == 0
    assert seconds < 0.3
    assert f"attar data {' '.join(verb)}" in done.stdout.split("Example", 1)[1]


def test_help_loads_neither_pydantic_nor_pyarrow() -> None:
    loaded = modules_after("from attar.runtime.cli import main\ntry: main(['data','check','-h'])\nexcept SystemExit: 0")
    assert "attar.pipeline.verbs.data" in loaded
    assert not loaded & {"pydantic", "pyarrow", "torch", "numpy"}
