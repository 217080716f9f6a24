"""The optimizer loop and its schedule."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor, nn

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
