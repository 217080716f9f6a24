"""The example runs as it stands, on a tiny teacher."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tests.conftest import ROOT


def test_the_complete_pipeline(
    teacher_folder: Path, cities: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = importlib.util.spec_from_file_location("complete_pipeline", ROOT / "examples" / "complete_pipeline.py")
    assert spec is not None and spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    few = {"correction": {"steps": 1}, "alignment_steps": 1, "steps": 1, "batch_tokens": 256}
    answer = example.main(cities, str(teacher_folder), tmp_path, "What is the country of Ghent?", **few)
    assert f"What is the country of Ghent? -> {answer}" in capsys.readouterr().out
    assert (tmp_path / "bundle" / "attar.json").is_file()
