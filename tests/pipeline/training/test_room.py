"""Too little memory is said before the first step, with figures."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor, nn

from attar.pipeline.training import room
from attar.pipeline.training.batches import Batch
from attar.pipeline.training.loop import Schedule, train
from attar.pipeline.training.room import bytes_to_train, require_room
from attar.runtime.errors import TooLittleMemory
from attar.runtime.limits import Memory
from tests.pipeline.training.test_loop import BATCH


def model() -> nn.Sequential:
    """A thousand parameters, a hundred of them frozen."""
    made = nn.Sequential(nn.Linear(10, 10, bias=False), nn.Linear(10, 90, bias=False))
    made[0].requires_grad_(False)
    return made


@pytest.mark.parametrize(
    ("precision", "keeps_best", "needed"),
    [
        ("float32", False, 12 * 900),
        ("float32", True, 16 * 900),
        ("bfloat16", False, 12 * 900 + 2 * 1900),
    ],
)
def test_what_is_known_is_counted(precision: str, keeps_best: bool, needed: int) -> None:
    assert bytes_to_train(model(), precision, keeps_best=keeps_best) == needed


def test_the_count_is_what_training_holds() -> None:
    made = model()
    train("fit", made, itertools.repeat([BATCH]), lambda _: made(torch.ones(1, 10)).sum(), Schedule(1, 0.1))
    optimizer = torch.optim.AdamW(made[1].parameters(), fused=True)
    made(torch.ones(1, 10)).sum().backward()
    gradients = sum(weight.grad.nbytes for weight in made[1].parameters() if weight.grad is not None)
    optimizer.step()
    moments = sum(kept.nbytes for state in optimizer.state.values() for kept in state.values() if kept.dim())
    assert gradients + moments == bytes_to_train(made, "float32", keeps_best=False)


def test_a_training_that_can_not_fit_is_refused_before_its_first_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "memory", lambda: Memory(total=1 << 30, limit=None, free=10_000))
    calls: list[Batch] = []

    def loss_of(batch: Batch) -> Tensor:
        calls.append(batch)
        return torch.zeros(())

    with pytest.raises(TooLittleMemory, match="too little memory to fit") as caught:
        train("fit", model(), itertools.repeat([BATCH]), loss_of, Schedule(5, 0.1))
    assert not calls
    assert caught.value.exit_code == 1
    assert "0.00 GB" in str(caught.value.why)
    assert "attar plan" in str(caught.value.next_step)


@pytest.mark.parametrize("free", [10_800, None])
def test_what_fits_exactly_or_is_not_known_is_let_through(free: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    found = None if free is None else Memory(total=1 << 30, limit=None, free=free)
    monkeypatch.setattr(room, "memory", lambda: found)
    require_room("fit", model(), "float32", keeps_best=False)
