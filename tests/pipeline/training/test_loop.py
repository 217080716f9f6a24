"""The optimizer loop and its schedule."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from attar.pipeline.checkpoints import Checkpoints
from attar.pipeline.data.render import RenderedSample
from attar.pipeline.training.batches import Batch, collate, pack
from attar.pipeline.training.loop import Schedule, train
from attar.runtime.errors import CheckFailed

BATCH = collate([pack([RenderedSample("a", "r", (1, 2, 3), (4, 2))])])


def test_the_rate_rises_to_its_peak_and_falls_to_nothing() -> None:
    factors = [Schedule(100, 1.0, 0.1).factor(step) for step in range(100)]
    assert factors[:10] == pytest.approx([n / 10 for n in range(1, 11)])
    assert factors[10] == 1.0
    assert factors[10:] == sorted(factors[10:], reverse=True)
    assert factors[-1] < 0.001


def test_training_lowers_the_loss() -> None:
    torch.manual_seed(0)
    model = nn.Linear(4, 1)
    inputs = torch.randn(32, 4)

    def loss_of(_: Batch) -> Tensor:
        return (model(inputs) - inputs.sum(-1, keepdim=True)).square().mean()

    losses = train("fit", model, itertools.repeat(BATCH), loss_of, Schedule(200, 0.05))
    assert len(losses) == 200
    assert losses[-1] < 0.01 * losses[0]


def test_a_loss_that_is_no_number_stops_at_its_step_and_keeps_the_weights() -> None:
    model = nn.Linear(4, 1)
    seen: list[Tensor] = []

    def loss_of(_: Batch) -> Tensor:
        seen.append(model.weight.detach().clone())
        return model.weight.sum() * (float("nan") if len(seen) == 3 else 1.0)

    with pytest.raises(CheckFailed, match="became nan") as caught:
        train("fit", model, itertools.repeat(BATCH), loss_of, Schedule(10, 0.1))
    assert caught.value.where == "fit, step 2"
    assert torch.equal(model.weight, seen[-1])


class Killed(BaseException):
    """What a test stops a training with."""


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("killed_at", [0, 1, 7, 19])
def test_training_that_is_killed_goes_on_to_the_very_same_weights(
    tmp_path: Path, killed_at: int, precision: str
) -> None:
    def attempt(checkpoints: Checkpoints | None, kill_at: int | None = None) -> tuple[list[float], Tensor]:
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 1))
        done = itertools.count()

        def loss_of(_: Batch) -> Tensor:
            if next(done) == kill_at:
                raise Killed
            return model(torch.ones(16, 4, dtype=model[0].weight.dtype)).float().square().mean()

        losses = train(
            "fit",
            model,
            itertools.repeat(BATCH),
            loss_of,
            Schedule(20, 0.05),
            precision=precision,
            checkpoints=checkpoints,
        )
        return losses, torch.cat([weight.detach().flatten() for weight in model.parameters()])

    losses, weights = attempt(None)
    with pytest.raises(Killed):
        attempt(Checkpoints(tmp_path, every_seconds=0), killed_at)
    for _ in range(2):  # the second finds the training ended
        again_losses, again_weights = attempt(Checkpoints(tmp_path, every_seconds=0))
        assert again_losses == losses
        assert torch.equal(again_weights, weights)


def test_a_checkpoint_of_an_ended_training_holds_no_moments(tmp_path: Path) -> None:
    model = nn.Linear(4, 1)
    train(
        "fit",
        model,
        itertools.repeat(BATCH),
        lambda _: model.weight.square().sum(),
        Schedule(3, 0.1),
        checkpoints=Checkpoints(tmp_path),
    )
    found = Checkpoints(tmp_path).load("fit")
    assert found is not None
    assert set(found.tensors) == {"random", "weight/weight", "weight/bias"}
