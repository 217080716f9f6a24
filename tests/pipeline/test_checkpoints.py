"""Checkpoints: whole or not there, and only as often as wanted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import torch

from attar.pipeline.checkpoints import Checkpoints
from attar.runtime.errors import Refused


def test_what_is_saved_is_loaded_bit_for_bit(tmp_path: Path) -> None:
    weights = torch.randn(3, 5)
    Checkpoints(tmp_path / "new").save("align layers", {"weight": weights}, {"losses": [0.1, 1 / 3]})
    found = Checkpoints(tmp_path / "new").load("align layers")
    assert found is not None
    assert torch.equal(found.tensors["weight"], weights)
    assert found.facts == {"losses": [0.1, 1 / 3]}
    assert Checkpoints(tmp_path / "new").load("distill") is None


def test_a_checkpoint_of_something_else_is_refused(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path)
    kept.of(teacher="one", student="s").save("distill", {}, {"losses": [1.0]})
    same = kept.of(teacher="one", student="s").load("distill")
    assert same is not None
    assert kept.load("distill") == same  # who names nothing reads all
    with pytest.raises(Refused, match="'distill' is of another teacher") as caught:
        kept.of(teacher="two", student="s").load("distill")
    assert caught.value.where == str(tmp_path / "distill.safetensors")
    kept.save("align layers", {}, {})
    with pytest.raises(Refused, match="of another teacher"):
        kept.of(teacher="one").load("align layers")


def test_a_checkpoint_is_due_when_its_time_has_come(tmp_path: Path) -> None:
    assert Checkpoints(tmp_path, 0).is_due()
    assert not Checkpoints(tmp_path, 60).is_due()


def test_the_time_of_earlier_attempts_is_known(tmp_path: Path) -> None:
    first = Checkpoints(tmp_path)
    first.save("distill", {}, {})
    second = Checkpoints(tmp_path)
    assert second.earlier_seconds > 0
    second.save("distill", {}, {})
    assert Checkpoints(tmp_path).earlier_seconds > second.earlier_seconds


def test_a_result_is_made_once(tmp_path: Path) -> None:
    assert Checkpoints(tmp_path).remember("score teacher", lambda: {"n": 3}) == {"n": 3}
    assert Checkpoints(tmp_path).remember("score teacher", lambda: {"n": 4}) == {"n": 3}


def test_a_write_that_fails_leaves_the_earlier_checkpoint(
    tmp_path: Path, full_disk: Callable[[int], AbstractContextManager[None]]
) -> None:
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save("distill", {"weight": torch.ones(4)}, {"losses": [1.0]})
    with full_disk(10_000), pytest.raises(OSError, match="large"):
        checkpoints.save("distill", {"weight": torch.ones(40_000)}, {"losses": [1.0, 0.5]})
    found = checkpoints.load("distill")
    assert found is not None
    assert found.facts == {"losses": [1.0]}
    assert not list(tmp_path.glob(".*.part"))


def test_what_a_phase_may_go_back_to_is_kept_beside_its_state(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, 60)
    checkpoints.save("distill", {"weight": torch.ones(2)}, {"losses": [1.0]})
    for step in (0, 20, 120):
        checkpoints.keep("distill", step, {"weight": torch.full((2,), float(step)), "bias": torch.zeros(1)})
    kept = dict(Checkpoints(tmp_path).kept("distill", 20))
    assert set(kept) == {"weight", "bias"} and kept["weight"].tolist() == [20.0, 20.0]
    checkpoints.drop_all_but("distill", {20, None})
    found = {file.name for file in tmp_path.glob("*.safetensors")}
    assert found == {"distill.safetensors", "distill-after-20.safetensors"}


def test_what_is_kept_beside_it_does_not_put_a_checkpoint_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    checkpoints = Checkpoints(tmp_path, 120)
    now = 119.0
    checkpoints.keep("distill", 20, {"weight": torch.ones(2)})
    assert not checkpoints.is_due()
    now = 120.0
    assert checkpoints.is_due()
