"""The JSON Schema: it is the models, and every field says what it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from attar.pipeline.config.reading import parse_config
from attar.pipeline.config.schema import SCHEMA_KEY, config_schema, key_paths, keys_at, node_at, schema_text
from attar.pipeline.config.wording import dotted
from tests.conftest import ROOT
from tests.pipeline.config.test_reading import SMALL

PATHS = list(key_paths())
DATABASE = {"database": "env:NAME", "query": "SELECT 1", "label": "row"}
"""Keys of a table that only go together."""
SECTIONS = {"A run": config_schema(), **config_schema()["$defs"]}


def test_the_committed_schema_is_that_of_the_models() -> None:
    committed = (ROOT / "configs" / "schema.json").read_text(encoding="utf-8")
    assert committed == schema_text(), "run: attar config schema --write"


@pytest.mark.parametrize("path", PATHS, ids=dotted)
def test_every_field_of_every_section_has_a_description_and_an_example(path: tuple[int | str, ...]) -> None:
    node = node_at(path)
    assert node is not None
    assert node["description"].endswith(".")
    assert node["examples"]


def test_the_paths_reach_every_field_of_every_section() -> None:
    assert len(PATHS) == sum(len(section["properties"]) for section in SECTIONS.values())


@pytest.mark.parametrize("name", SECTIONS)
def test_every_field_that_may_be_left_out_says_what_holds_then(name: str) -> None:
    section = SECTIONS[name]
    for key, field in section["properties"].items():
        if key not in section.get("required", ()) and key != SCHEMA_KEY:
            assert "default" in field or "$ref" in field, key


@pytest.mark.parametrize("path", PATHS, ids=dotted)
def test_every_example_is_allowed(path: tuple[int | str, ...], tmp_path: Path) -> None:
    node: dict[str, Any] | None = node_at(path)
    assert node is not None
    for example in node["examples"]:
        override = f"{dotted(path)}={json.dumps(example)}"
        if path[-1] in DATABASE:
            override = f"data.tables.0={json.dumps(DATABASE | {str(path[-1]): example})}"
        config = parse_config(SMALL, tmp_path / "c.json", [override])
        assert config.name


def test_the_keys_of_a_column_map_are_the_tables_not_the_schemas() -> None:
    assert keys_at(("data", "tables", 0, "columns")) == []
    assert "entity" in keys_at(("data", "tables", 0))
    assert keys_at(("nowhere", 0)) == []
