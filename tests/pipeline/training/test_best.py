"""The best weights so far: written back bit for bit, and never more of them on disk than may be asked for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import torch

from attar.pipeline.checkpoints import Checkpoints
from attar.pipeline.training.best import BestWeights


def files(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


@pytest.mark.parametrize("on_disk", [False, True])
def test_weights_come_back_bit_for_bit(tmp_path: Path, on_disk: bool) -> None:
    weight = torch.nn.Parameter(torch.randn(3, 4))
    best = BestWeights("fit", {"weight": weight}, Checkpoints(tmp_path) if on_disk else None)
    before = weight.detach().clone()
    best.keep(5)
    with torch.no_grad():
        weight.mul_(2)
    best.put_back(5)
    assert torch.equal(weight, before)
    assert bool(files(tmp_path)) == on_disk


def test_those_that_the_last_checkpoint_goes_back_to_stay_until_the_next(tmp_path: Path) -> None:
    best = BestWeights("fit", {"weight": torch.zeros(2)}, Checkpoints(tmp_path))
    best.keep(0)
    best.checkpointed(0)
    for step in (5, 10):
        best.keep(step)
        assert files(tmp_path) == {"fit-after-0.safetensors", f"fit-after-{step}.safetensors"}
    best.checkpointed(10)
    assert files(tmp_path) == {"fit-after-10.safetensors"}
    best.checkpointed(None)
    assert not files(tmp_path)


def test_a_failed_write_leaves_what_was_kept(
    tmp_path: Path, full_disk: Callable[[int], AbstractContextManager[None]]
) -> None:
    weight = torch.ones(40_000)
    best = BestWeights("fit", {"weight": weight}, Checkpoints(tmp_path))
    best.keep(0)
    with full_disk(10_000), pytest.raises(OSError, match="large"):
        best.keep(5)
    weight.zero_()
    best.put_back(0)
    assert bool((weight == 1).all())
    assert files(tmp_path) == {"fit-after-0.safetensors"}
