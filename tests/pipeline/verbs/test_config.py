"""``attar config`` and ``attar init``, as a person calls them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from attar.runtime.cli import main
from tests.runtime.test_cli import fastest
from tests.runtime.test_imports import modules_after


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)])


@pytest.fixture
def recipe(cities: Path) -> Path:
    out = cities.parent / "recipe.json"
    done = call("init", cities, "--out", out)
    assert done.exit_code == 0, done.output
    assert "Look at:" in done.stdout
    return out


def test_a_recipe_that_init_wrote_is_right(recipe: Path) -> None:
    done = call("config", "check", recipe)
    assert (done.exit_code, "8 rows, named by name" in done.stdout) == (0, True)
    value = json.loads(call("config", "check", recipe, "--json").stdout)
    assert value["ok"] is True
    assert value["tables"][0]["rows"] == 8


def test_init_replaces_a_file_only_when_told(recipe: Path, cities: Path) -> None:
    before = recipe.read_text()
    refused = call("init", cities, "--out", recipe)
    assert refused.exit_code == 3
    assert recipe.read_text() == before
    recipe.write_text("mine")
    value = json.loads(call("init", cities, "--out", recipe, "--force", "--json").stdout)
    assert value["recipe"] == str(recipe)
    assert recipe.read_text() == before


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--set", "export.quantise=int8"], 2, "Did you mean 'quantize'?"),
        (["--set", "distillation.alpha=2"], 2, "at least 0 and at most 1"),
        (["--set", "data.tables.0.path=gone.csv"], 4, "no such table"),
        (["--set", 'data.tables.0.entity=["town"]'], 4, "no column 'town'"),
    ],
)
def test_a_wrong_config_is_refused_before_a_run(recipe: Path, arguments: list[str], code: int, said: str) -> None:
    done = call("config", "check", recipe, *arguments)
    assert done.exit_code == code
    assert said in done.stderr


def test_show_marks_what_was_set(recipe: Path) -> None:
    done = call("config", "show", recipe, "--set", "distillation.seed=3")
    assert "--set    distillation.seed = 3\n" in done.stdout
    assert "config   distillation.alpha = 0.0\n" in done.stdout
    assert "default  distillation.temperature = 2.0\n" in done.stdout
    value = json.loads(call("config", "show", recipe, "--json").stdout)
    assert value["settings"]["name"] == {"value": "recipe", "origin": "config"}


def test_show_hides_a_password(recipe: Path) -> None:
    table = {"database": "postgresql://me:secret@host/db?password=secret", "query": "SELECT 1", "label": "x"}
    for options in ([], ["--json"]):
        done = call("config", "show", recipe, "--set", f"data.tables.0={json.dumps(table)}", *options)
        assert done.exit_code == 0
        assert "secret" not in done.output


def test_a_started_config_is_refused_only_for_its_table_and_never_replaced(tmp_path: Path) -> None:
    out = tmp_path / "start.json"
    assert call("config", "init", out).exit_code == 0
    assert call("config", "show", out).exit_code == 0
    assert call("config", "check", out).exit_code == 4
    assert call("config", "init", out).exit_code == 3


def test_the_schema_is_printed_or_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("config", "schema", "--write").exit_code == 2
    (tmp_path / "configs").mkdir()
    assert call("config", "schema", "--write").exit_code == 0
    assert (tmp_path / "configs" / "schema.json").read_text() == call("config", "schema").stdout


@pytest.mark.parametrize(
    "verb", [("config",), ("config", "check"), ("config", "show"), ("config", "init"), ("config", "schema"), ("init",)]
)
def test_help_is_fast_and_has_an_example(verb: tuple[str, ...]) -> None:
    done, seconds = fastest(*verb, "--help")
    assert done.returncode == 0
    assert seconds < 0.3
    assert f"attar {' '.join(verb)} " in done.stdout.split("Example", 1)[1]


def test_help_loads_neither_pydantic_nor_pyarrow() -> None:
    loaded = modules_after(
        "from attar.runtime.cli import main\ntry: main(['config','check','-h'])\nexcept SystemExit: 0"
    )
    assert "attar.pipeline.verbs.config" in loaded
    assert not loaded & {"pydantic", "pyarrow", "torch", "numpy"}
