"""What the graph benchmark says: ratios the right way round, with intervals, of forms that pass the gate."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

from benchmarks.graph_report import as_text, plot, ratio, table
from tests.conftest import ROOT

TEACHER = "teacher, torch fp32"


def entrant(speed: float, exact: float | None = None, *, size: int = 10_000_000, ours: bool = True) -> dict[str, Any]:
    rounds = {name: [speed, 1.1 * speed, 0.9 * speed] for name in ("decode", "prefill")}
    rounds["question"] = [1 / speed, 1 / (1.1 * speed), 1 / (0.9 * speed)]
    rounds["drafted"] = [seconds / 2 for seconds in rounds["question"]]
    contexts = {}
    if ours:
        rounds["eight"] = [3 * value for value in rounds["decode"]]
        passes = {"seconds_per_token": [0.01, 0.03, 0.02], "resident": [2e8, 2e8, 2e8], "peak": [3e8, 3e8, 3e8]}
        contexts = {"64": passes, "8192": passes}
    return {"size": size, "exact_match": exact, "rounds": rounds, "contexts": contexts}


@pytest.fixture
def results() -> dict[str, Any]:
    found = {
        TEACHER: entrant(10, size=120_000_000, ours=False),
        "attar none": entrant(50, 0.9),
        "attar int8": entrant(100, 0.89, size=5_000_000),
        "attar int4": entrant(400, 0.6, size=1_000_000),
    }
    return {"settings": {"amx": True}, "found": found}


def line(text: str, *words: str) -> str:
    return next(each for each in text.splitlines() if all(word in each for word in words))


def test_the_fastest_form_that_passes_the_gate_is_taken(results: dict[str, Any]) -> None:
    text = table(results)
    assert "attar int8 | 10.00x (10.00 to 10.00) | 15x" in line(text, "| decode |", TEACHER)
    assert "attar int8 | 24.0 times smaller" in line(text, "files opened")
    results["found"]["attar int4"]["exact_match"] = 0.88
    assert "attar int4 | 40.00x" in line(table(results), "| decode |", TEACHER)


def test_less_time_is_more_times_better(results: dict[str, Any]) -> None:
    assert "attar int8 | 10.00x" in line(table(results), "| question, nothing drafted |", TEACHER)


def test_a_drafted_question_counts_against_the_plain_teacher_and_the_one_that_drafts(results: dict[str, Any]) -> None:
    assert "attar int8 | 20.00x" in line(table(results), "| question |", TEACHER)
    assert "attar int8 | 10.00x" in line(table(results), "| question, both draft |", TEACHER)
    del results["found"][TEACHER]["rounds"]["drafted"]
    assert "not measured" in line(table(results), "| question, both draft |", TEACHER)


def test_eight_at_once_count_against_the_same_form_alone(results: dict[str, Any]) -> None:
    assert "| 3.00x (3.00 to 3.00) | 3x |" in line(table(results), "8 at once |", "the same form alone")


def test_who_is_missing_is_not_measured(results: dict[str, Any]) -> None:
    assert "not measured" in line(table(results), "| decode, int4 |", "llama.cpp")
    del results["found"][TEACHER]
    assert "files opened" not in table(results)


def test_rounds_that_differ_widen_the_interval() -> None:
    ours, other = entrant(100), entrant(10)
    ours["rounds"]["decode"] = [80.0, 100.0, 150.0]
    found = ratio(ours, "decode", other, "decode")
    assert found.low < found.ratio < found.high
    assert as_text(found) == f"{found.ratio:.2f}x ({found.low:.2f} to {found.high:.2f})"


def test_contexts_are_a_table_and_two_diagrams(results: dict[str, Any]) -> None:
    text = table(results)
    assert "ms a token at 8,192" in text
    assert "20.00 (10.00 to 30.00) | 200 |" in line(text, "| attar int8 | 20.00 ")
    root = ElementTree.fromstring(plot(results))
    lines = [each for each in root if each.tag.endswith("polyline")]
    assert len(lines) == 2 * 3
    titles = " ".join(each.text or "" for each in root)
    assert "Milliseconds a token" in titles
    assert "Memory" in titles
    for each in results["found"].values():
        each["contexts"] = {}
    assert "polyline" not in plot(results)


def test_the_worker_decodes_together_what_it_decodes_alone(bundle_folder: Path) -> None:
    shape = json.loads((bundle_folder / "attar.json").read_text())["architecture"]
    folder = bundle_folder.parent / "worker"
    folder.mkdir()
    for name in ("model.onnx", "model.onnx.data"):
        (folder / name).write_bytes((bundle_folder / name).read_bytes())
    (folder / "shape.json").write_text(json.dumps(shape))
    prompt = {"prompt": [1, 90, 91], "tokens": 6}
    asked = [prompt, {**prompt, "drafting": True}, {**prompt, "streams": 8}]
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks/peers/worker.py"), "attar", str(folder), "1"],
        input="".join(json.dumps(each) + "\n" for each in asked),
        capture_output=True,
        text=True,
        check=True,
    )
    ready, alone, drafted, together = map(json.loads, done.stdout.splitlines())
    assert ready == {"ready": "attar"}
    assert len(alone["ids"]) == 6
    assert together["ids"] == drafted["ids"] == alone["ids"]
    assert alone["first_seconds"] > 0 < together["seconds"]
    assert 0 < together["resident"] <= together["peak"]
