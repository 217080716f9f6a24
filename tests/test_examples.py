"""The examples run as they stand, on a tiny teacher."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from tests.conftest import ROOT


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "examples" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_complete_pipeline(
    teacher_folder: Path, cities: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = {"correction": {"steps": 1}, "alignment_steps": 1, "steps": 1, "batch_tokens": 256}
    question = "What is the country of Ghent?"
    answer = example("complete_pipeline").main(cities, str(teacher_folder), tmp_path, question, **few)
    assert f"What is the country of Ghent? -> {answer}" in capsys.readouterr().out
    assert (tmp_path / "bundle" / "attar.json").is_file()


def test_the_team(bundle_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checks = example("team").main(bundle_folder, "Aarhus", "country")
    printed = capsys.readouterr().out
    for route in ("qa", "summarizer", "validator", "greeter: Hello!"):
        assert f"-> {route}" in printed
    assert len(checks) == 4
    assert "route -.-> greeter;" in printed
