"""The examples run as they stand, on a tiny teacher."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from attar.pipeline.data.sources import READERS
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


def test_a_source_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("attar.pipeline.data.sources.READERS", READERS.copy())
    asked = example("own_source").main(tmp_path)
    answers = {line.rpartition(" -> ")[2] for line in asked}
    assert {"1094", "866", "ann@example.org", "3 May 2026"} <= answers
    assert any("Lunch" in line for line in asked)


def test_the_team(bundle_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checks = example("team").main(bundle_folder, "Aarhus", "country")
    printed = capsys.readouterr().out
    for route in ("qa", "summarizer", "validator", "greeter: Hello!"):
        assert f"-> {route}" in printed
    assert len(checks) == 4
    assert "route -.-> greeter;" in printed
