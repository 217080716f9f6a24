"""What is in force, and a config to start from."""

from __future__ import annotations

import json
from pathlib import Path

from attar.pipeline import load_config
from attar.pipeline.config.listing import settings_in_force, starting_config
from attar.pipeline.config.schema import SCHEMA_KEY, key_paths
from attar.pipeline.config.wording import dotted
from tests.pipeline.config.test_reading import written


def test_every_value_is_listed_with_who_says_so(tmp_path: Path) -> None:
    overrides = ["distillation.steps=7", 'distillation.correction={"steps": 1}']
    found = {item.key: item for item in settings_in_force(load_config(written(tmp_path), overrides), overrides)}
    paths = list(key_paths())
    sections = {path[:length] for path in paths for length in range(len(path))}
    leaves = {dotted(path) for path in paths if path not in sections and path != (SCHEMA_KEY,)}
    assert set(found) == leaves
    assert (found["name"].value, found["name"].origin) == ("small", "config")
    assert (found["distillation.steps"].value, found["distillation.steps"].origin) == (7, "--set")
    assert found["distillation.correction.steps"].origin == "--set"
    assert (found["distillation.alpha"].value, found["distillation.alpha"].origin) == (0.5, "default")
    assert (found["data.tables.0.path"].value, found["data.tables.0.label"].origin) == (
        str(tmp_path / "t.csv"),
        "default",
    )


def test_the_starting_config_is_valid_and_comments_on_every_key(tmp_path: Path) -> None:
    path = tmp_path / "start.json"
    path.write_text(starting_config(), encoding="utf-8")
    load_config(path)
    sections = [json.loads(path.read_text())]
    for section in sections:
        assert section["//"]
        for key, value in section.items():
            if isinstance(value, dict) and "//" in value:
                sections.append(value)
            elif isinstance(value, list) and isinstance(value[0], dict):
                sections.extend(value)
            elif not key.startswith("//"):
                assert len(section[f"// {key}"]) > 20
    assert len(sections) == 9
