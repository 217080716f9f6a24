"""Progress goes to standard error, in plain lines where there is no terminal."""

from __future__ import annotations

import pytest

from attar.pipeline.progress import say, track


def test_the_last_step_is_always_told_with_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    with track("train", 3) as progress:
        for step in range(3):
            progress(loss=0.5 - step / 10, tokens_per_second=640.0)
    say("done")
    shown = capsys.readouterr()
    assert shown.out == ""
    lines = shown.err.splitlines()
    assert lines[0].startswith("train: 3/3  loss 0.3  tokens per second 640")
    assert lines[-1] == "done"
