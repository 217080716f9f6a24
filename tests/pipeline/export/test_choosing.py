"""What is timed is what a user gets: eight questions are decoded together, as the engine does it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from attar.pipeline.export.answer_gate import question_work
from attar.pipeline.export.choosing import Candidate, measure_speed
from attar.runtime.bundle import Bundle
from attar.runtime.engine.fast import FastRows


def test_one_question_is_timed_alone_and_eight_in_shared_steps(
    bundle_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, widths = Bundle.open(bundle_folder), list[int]()
    step = FastRows.step

    def counted(rows: FastRows, tokens: Sequence[int | None]) -> Any:
        widths.append(len(tokens))
        return step(rows, tokens)

    monkeypatch.setattr(FastRows, "step", counted)
    candidates = [Candidate("none", 4, 1.0), Candidate("other", 1, 0.9)]
    shape, tokens = bundle.manifest.architecture, 6
    work = {
        each.form: question_work(bundle.graph, "fast", shape, each.form, [1, 90, 91, 92], tokens) for each in candidates
    }
    found = measure_speed(candidates, work)
    assert [each.form for each in found] == ["none", "other"]
    assert all(each.seconds > 0 and each.tokens_per_second > 0 for each in found)
    steps = tokens - 1  # the first token comes with the prompt
    assert widths == ([1] * steps + [8] * steps) * (len(widths) // (2 * steps))
    assert len(widths) == 2 * steps * len(candidates) * 9
