"""``attar doctor``: faults with their fixes, and an exit code that a script can trust."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from attar.runtime.cli import main
from tests.runtime.test_cli import fastest


def call(*arguments: str | Path) -> tuple[int, dict[str, Any]]:
    done = CliRunner().invoke(main, ["doctor", *map(str, arguments), "--json"])
    return done.exit_code, json.loads(done.stdout)


@pytest.fixture(autouse=True)
def own_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)


def test_a_whole_bundle_is_opened_and_asked_for_a_token(bundle_folder: Path) -> None:
    code, value = call(bundle_folder)
    assert (code, value["ok"]) == (0, True)
    found = {finding["subject"]: finding for finding in value["findings"]}
    assert found["bundle records"]["found"] == "3 records"
    assert "first token in" in found["bundle answer"]["found"]


def test_a_changed_byte_is_a_broken_bundle(bundle_copy: Path) -> None:
    graph = bundle_copy / "model.onnx"
    content = bytearray(graph.read_bytes())
    content[len(content) // 2] ^= 1
    graph.write_bytes(content)
    code, value = call(bundle_copy)
    assert (code, value["ok"], value["exit_code"]) == (5, False, 5)
    assert value["findings"][-1]["status"] == "fault"
    assert value["findings"][-1]["fix"]


def test_a_fault_of_the_machine_is_told_with_its_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "10000")
    assert call()[0] == 1
    done = CliRunner().invoke(main, ["doctor"])
    assert "fault  OMP_NUM_THREADS: " in done.stdout
    assert "Run: export OMP_NUM_THREADS=" in done.stdout


def test_no_fault_is_no_failure() -> None:
    assert call()[0] == 0


def test_help_is_fast_and_has_an_example() -> None:
    done, seconds = fastest("doctor", "--help")
    assert seconds < 0.3
    assert "attar doctor " in done.stdout.split("Example", 1)[1]
