"""Variants stay alive in processes of their own, and do what they are asked, or it is said who did not."""

from __future__ import annotations

import time

import pytest

from attar.pipeline.measurement import Variant
from attar.pipeline.measurement.processes import WorkerProcess
from attar.runtime.errors import CheckFailed
from tests.conftest import ROOT


@pytest.fixture(autouse=True)
def workers_find_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))


def worker(kind: str, path: str = "") -> WorkerProcess:
    return WorkerProcess(kind, Variant(f"tests.pipeline.measurement.subjects:{kind}", path), 1)


def test_a_worker_answers_as_often_as_it_is_asked() -> None:
    with worker("Chatty") as process:
        answers = [process.ask([7, 8, 9], tokens, given=[1] * tokens) for tokens in (2, 5)]
    assert process.loaded["size_bytes"] == 1000
    assert [answer["ids"] for answer in answers] == [[0, 1], [0, 1, 2, 3, 4]]
    assert answers[1]["did"] == {"prompt tokens": 3, "decoded tokens": 5, "given tokens": 5, "threads": 1}


def test_first_token_and_the_rest_are_timed_apart() -> None:
    with worker("Slow", "0.02") as process:
        took = process.ask([1], 4)
    assert min(took["first_token_seconds"], took["seconds_per_token"]) >= 0.02


def test_a_worker_that_spins_while_it_waits_is_caught() -> None:
    with worker("Restless") as process:
        process_started = time.monotonic()
        with pytest.raises(CheckFailed, match="'Restless' computed while it should have waited"):
            while time.monotonic() < process_started + 30:
                time.sleep(0.2)
                process.ask([1], 2)


def test_an_answer_of_another_length_is_caught() -> None:
    with worker("Short") as process, pytest.raises(CheckFailed, match="3 tokens instead of 4"):
        process.ask([1], 4)


@pytest.mark.parametrize(("kind", "why"), [("Broken", "out of paper"), ("Missing", "has no attribute 'Missing'")])
def test_a_process_that_fails_is_named_with_its_last_words(kind: str, why: str) -> None:
    with pytest.raises(CheckFailed, match=f"'{kind}' failed") as caught, worker(kind) as process:
        process.ask([1], 2)
    assert why in str(caught.value.why)


def test_a_process_that_was_killed_is_named() -> None:
    with worker("Plain") as process:
        process._process.kill()
        process._process.wait()
        with pytest.raises(CheckFailed, match="'Plain' failed") as caught:
            process.ask([1], 2)
    assert "exit code -9" in str(caught.value.why)
