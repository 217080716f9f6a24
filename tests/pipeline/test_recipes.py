"""A recipe for a user's own table: valid, right from its own place, and runnable."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from attar.pipeline.checking import check_tables
from attar.pipeline.config.reading import load_config, parse_config
from attar.pipeline.recipes import make_recipe, require_absent
from attar.runtime.errors import DataError, Refused, UsageError
from tests.conftest import CITIES, ROOT


def table(folder: Path, header: str, rows: Sequence[str], name: str = "things.csv") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_a_recipe_is_accepted_and_its_paths_are_right_from_its_own_place(cities: Path, tmp_path: Path) -> None:
    out = tmp_path / "recipes" / "deep" / "my cities.json"
    recipe = make_recipe([cities], out)
    assert recipe.config["name"] == "my-cities"
    assert recipe.config["data"]["tables"][0]["path"] == "../../cities.csv"
    out.parent.mkdir(parents=True)
    out.write_text(json.dumps(recipe.config))
    (facts,) = check_tables(load_config(out))
    assert (facts.label, facts.rows, facts.entity) == ("cities", 8, ["name"])
    assert facts.columns == ["country", "population", "founded"]
    assert min(facts.questions.values()) > 0


def test_it_teaches_as_the_quickstart_does(cities: Path, tmp_path: Path) -> None:
    quickstart = json.loads((ROOT / "configs" / "quickstart.json").read_text())["distillation"]
    found = make_recipe([cities], tmp_path / "r.json").config["distillation"]
    for key in ("teacher_model_name", "correction", "alpha", "alignment", "learning_rate", "steps"):
        assert found[key] == quickstart[key]


@pytest.mark.parametrize("rows", [2, 3, 5, 10, 100])
def test_a_table_of_any_size_has_rows_on_both_sides_of_the_split(tmp_path: Path, rows: int) -> None:
    path = table(tmp_path, "name,color", [f"thing {n},red" for n in range(rows)])
    recipe = make_recipe([path], tmp_path / "r.json")
    (facts,) = check_tables(parse_config(recipe.config, tmp_path / "r.json"))
    assert min(facts.questions.values()) > 0
    assert recipe.config["data"]["records_per_table"] == min(3000, 40 * rows)


def test_names_that_repeat_get_the_column_that_tells_them_apart(tmp_path: Path) -> None:
    path = table(tmp_path, "name,kind,country", ["Cork,a,IE", "Cork,a,US", "Faro,a,PT", "Faro,b,US", "Bergen,b,IE"])
    recipe = make_recipe([path], tmp_path / "r.json")
    assert recipe.config["data"]["tables"][0]["entity"] == ["name", "country"]
    assert not any("named as another" in line for line in recipe.look_at)


def test_what_a_person_should_look_at_is_said(tmp_path: Path) -> None:
    long = "word " * 60
    rows = [f"{name},{long},," for name in ("a", "a", "", "b", "c")]
    recipe = make_recipe([table(tmp_path, "name,story,none,empty", rows)], tmp_path / "r.json")
    assert list(recipe.config["data"]["tables"][0]["columns"]) == ["story"]
    assert any("empty: none, empty" in line for line in recipe.chosen)
    for words in ("named as another one is: 1", "rows without name", "long text"):
        assert any(words in line for line in recipe.look_at), words


def test_columns_of_lists_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "nested.jsonl"
    path.write_text("\n".join(json.dumps({"tags": ["a", "b"], "id": n // 2, "unit_price_usd": n}) for n in range(20)))
    recipe = make_recipe([path], tmp_path / "r.json")
    check_tables(parse_config(recipe.config, tmp_path / "r.json"))
    assert recipe.config["data"]["tables"][0]["columns"]["unit_price_usd"] == "unit price (USD)"


@pytest.mark.parametrize(
    ("header", "rows", "message"),
    [
        ("name,color", ["one,red"], "too few rows"),
        ("name", ["one", "two"], "no column to ask for"),
        ("name,none", ["one,", "two,"], "has values"),
        ("name,color", [], "no rows"),
    ],
)
def test_a_table_that_gives_no_questions_is_refused(tmp_path: Path, header: str, rows: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        make_recipe([table(tmp_path, header, rows)], tmp_path / "r.json")


def test_two_tables_of_one_name_are_refused(tmp_path: Path) -> None:
    first, second = (table(tmp_path, "name,color", ["a,red", "b,blue"], f"{n}/things.csv") for n in "12")
    with pytest.raises(UsageError, match="'things'"):
        make_recipe([first, second], tmp_path / "r.json")


def test_what_is_there_is_not_replaced(cities: Path, tmp_path: Path) -> None:
    require_absent(tmp_path / "new.json")
    with pytest.raises(Refused):
        require_absent(cities)


def test_a_label_keeps_the_dots_of_its_file_and_loses_the_ends(tmp_path: Path) -> None:
    for name in ("my_cities-v1.2.csv", "my_cities-v1.2.tsv"):
        (tmp_path / name).write_text(CITIES.replace(",", "\t") if name.endswith("tsv") else CITIES)
        recipe = make_recipe([tmp_path / name], tmp_path / "r.json")
        assert recipe.config["data"]["tables"][0]["label"] == "my cities v1.2"
