"""The optimizer loop and its schedule."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from attar.pipeline.checkpoints import Checkpoints
from attar.pipeline.data.render import RenderedSample
from attar.pipeline.training.batches import Batch, collate, pack
from attar.pipeline.training.loop import Schedule, Watch, train
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

    losses = train("fit", model, itertools.repeat([BATCH]), loss_of, Schedule(200, 0.05))
    assert len(losses) == 200
    assert losses[-1] < 0.01 * losses[0]


def test_a_loss_that_is_no_number_stops_at_its_step_and_keeps_the_weights() -> None:
    model = nn.Linear(4, 1)
    seen: list[Tensor] = []

    def loss_of(_: Batch) -> Tensor:
        seen.append(model.weight.detach().clone())
        return model.weight.sum() * (float("nan") if len(seen) == 3 else 1.0)

    with pytest.raises(CheckFailed, match="became nan") as caught:
        train("fit", model, itertools.repeat([BATCH]), loss_of, Schedule(10, 0.1))
    assert caught.value.where == "fit, step 2"
    assert caught.value.why == "In the batch of the samples a."
    assert torch.equal(model.weight, seen[-1])


def test_a_gradient_that_is_no_number_stops_before_it_spoils_the_weights(tmp_path: Path) -> None:
    model = nn.Linear(4, 1)
    seen: list[Tensor] = []

    def loss_of(_: Batch) -> Tensor:
        seen.append(model.weight.detach().clone())
        spoilt = torch.sqrt(model.weight.sum() * 0) if len(seen) == 3 else 0.0  # 0, with an infinite slope times 0
        return model.weight.square().sum() + spoilt

    with pytest.raises(CheckFailed, match="The gradient became nan") as caught:
        train("fit", model, itertools.repeat([BATCH]), loss_of, Schedule(9, 0.1), checkpoints=Checkpoints(tmp_path, 0))
    assert caught.value.where == "fit, step 2"
    assert torch.equal(model.weight, seen[-1])
    kept = Checkpoints(tmp_path).load("fit")
    assert kept is not None
    assert len(kept.facts["losses"]) == 2
    assert torch.equal(kept.tensors["weight/weight"], seen[-1])


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
            itertools.repeat([BATCH]),
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


def falling(model: nn.Linear) -> Tensor:
    """A loss whose weights only ever fall."""
    return model.weight.sum()


def watched(
    scores: list[float], schedule: Schedule, checkpoints: Checkpoints | None = None, **options: object
) -> tuple[list[Tensor], Tensor, int]:
    """The weights that were scored, those that were kept, and the steps that were done."""
    torch.manual_seed(0)
    model, seen = nn.Linear(2, 1), list[Tensor]()

    def score() -> float:
        seen.append(model.weight.detach().clone())
        return scores[len(seen) - 1]

    watch = Watch("goodness", 5, score, **options)  # type: ignore[arg-type]
    losses = train(
        "fit",
        model,
        itertools.repeat([BATCH]),
        lambda _: falling(model),
        schedule,
        checkpoints=checkpoints,
        watch=watch,
    )
    return seen, model.weight.detach(), len(losses)


@pytest.mark.parametrize(
    ("scores", "lower", "best"),
    [([1, 3, 2, 2], False, 1), ([1, 3, 2, 3], False, 3), ([3, 1, 2, 2], True, 1), ([1, 2, 3, 4], False, 3)],
)
def test_the_weights_of_the_best_score_are_kept_and_of_equal_ones_the_latest(
    scores: list[float], lower: bool, best: int
) -> None:
    seen, kept, steps = watched(scores, Schedule(18, 0.01), lower_is_better=lower)
    assert (len(seen), steps) == (4, 18)
    assert torch.equal(kept, seen[best])


@pytest.mark.parametrize(
    ("scores", "best"),
    [([0.2, 0.9, 0.88, 0.8], 2), ([0.9, 0.86, 0.93, 0.9], 3), ([0.9, 0.91, 0.86, 0.865], 1)],
)
def test_of_weights_within_the_margin_of_the_best_the_latest_are_kept(scores: list[float], best: int) -> None:
    seen, kept, _ = watched(scores, Schedule(18, 0.01), margin=lambda best: 0.04)
    assert torch.equal(kept, seen[best])


@pytest.mark.parametrize(
    ("scores", "best"), [([1.0, 0.5, 0.6, 0.64], 3), ([1.0, 0.5, 0.64, 0.7], 2), ([1, 0.5, 2, 3], 1)]
)
def test_of_losses_within_a_share_of_the_lowest_the_latest_is_kept(scores: list[float], best: int) -> None:
    seen, kept, _ = watched(scores, Schedule(18, 0.01), lower_is_better=True, margin=lambda best: 0.3 * best)
    assert torch.equal(kept, seen[best])


def test_training_ends_early_once_the_patience_is_spent() -> None:
    seen, kept, steps = watched([5, 4, 6, 7, 1], Schedule(50, 0.01), lower_is_better=True, patience=2)
    assert (len(seen), steps) == (4, 20)
    assert torch.equal(kept, seen[1])


class EveryFourth(Checkpoints):
    """Checkpoints of each fourth step, so that a training may be killed between its best weights and the next."""

    def is_due(self) -> bool:
        self.asked = getattr(self, "asked", 0) + 1
        return self.asked % 4 == 0


@pytest.mark.parametrize("kept_by", [Checkpoints, EveryFourth])
@pytest.mark.parametrize("killed_at", [1, 5, 6, 11, 13])
def test_a_watched_training_that_is_killed_keeps_the_same_weights(
    tmp_path: Path, killed_at: int, kept_by: type[Checkpoints]
) -> None:
    def attempt(checkpoints: Checkpoints | None, kill_at: int | None = None) -> tuple[list[float], Tensor]:
        torch.manual_seed(0)
        model, done = nn.Linear(2, 1), itertools.count()

        def loss_of(_: Batch) -> Tensor:
            if next(done) == kill_at:
                raise Killed
            return falling(model)

        # Nearest to a point that the weights pass between the scores of steps 5 and 10.
        watch = Watch("distance", 5, lambda: abs(model.weight.sum().item() - 0.5), lower_is_better=True)
        schedule = Schedule(17, 0.05)
        batches = itertools.repeat([BATCH])
        losses = train("fit", model, batches, loss_of, schedule, checkpoints=checkpoints, watch=watch)
        return losses, model.weight.detach().clone()

    losses, weights = attempt(None)
    with pytest.raises(Killed):
        attempt(kept_by(tmp_path, 0), killed_at)
    for _ in range(2):
        again_losses, again_weights = attempt(kept_by(tmp_path, 0))
        assert again_losses == losses
        assert torch.equal(again_weights, weights)
        assert {file.name for file in tmp_path.iterdir()} == {"fit.safetensors", "spent.json"}


def scripted(
    losses: Sequence[float],
    schedule: Schedule,
    checkpoints: Checkpoints | None = None,
    kill_at: int | None = None,
    every: int = 8,
) -> list[float]:
    """A weight that falls by the rate, whatever the loss; returns it before each step, and at last as it was kept."""
    model, seen = nn.Linear(1, 1, bias=False), list[float]()
    nn.init.zeros_(model.weight)
    script = iter(losses)
    if checkpoints and (found := checkpoints.load("fit")):
        seen = [float("nan")] * len(found.facts["losses"])
        script = iter(losses[len(seen) :])

    def loss_of(_: Batch) -> Tensor:
        if len(seen) == kill_at:
            raise Killed
        seen.append(model.weight.item())
        slope = model.weight.sum()
        return slope + (next(script) - slope).detach()

    watch = Watch("height", every, lambda: model.weight.item())  # the weights of the first score are the best
    train("fit", model, itertools.repeat([BATCH]), loss_of, schedule, checkpoints=checkpoints, watch=watch)
    return [*seen, model.weight.item()]


RUNAWAY = [1.0] * 20 + [9.0] * 4 + [1.0] * 36
"""Gone after 23 steps, by the mean of the last ten."""


def test_a_loss_that_runs_away_goes_back_to_the_best_weights_at_half_of_the_rate(
    capsys: pytest.CaptureFixture[str],
) -> None:
    schedule = Schedule(60, 0.1)
    weights = scripted(RUNAWAY, schedule)
    said = capsys.readouterr().err
    assert weights[22] < weights[8] and weights[23] == weights[8]
    fallen = [weights[step] - weights[step + 1] for step in (23, 24, 25, 26)]
    assert fallen == pytest.approx([0.05 * schedule.factor(step, 23) for step in (23, 24, 25, 26)], rel=1e-4)
    assert fallen[0] < fallen[1] < fallen[2], "it rises anew"
    assert "ran away by step 23; it goes on from the weights of step 8 at a peak rate of 0.05" in said


def test_before_the_first_score_it_goes_back_to_where_it_began() -> None:
    weights = scripted(RUNAWAY, Schedule(60, 0.1), every=30)
    assert weights.index(0.0, 1) == 23


def test_a_loss_that_keeps_running_away_ends_the_training_with_what_to_do() -> None:
    with pytest.raises(CheckFailed, match="ran away 4 times") as caught:
        scripted([1.0] * 20 + [9.0] * 80, Schedule(100, 0.1))
    assert caught.value.why == "The peak rates were 0.1, 0.05, 0.025, 0.0125."
    assert "Lower the learning rate" in caught.value.next_step


@pytest.mark.parametrize("kept_by", [Checkpoints, EveryFourth])
@pytest.mark.parametrize("killed_at", [4, 21, 23, 24, 31, 50])
def test_a_training_that_ran_away_and_is_killed_goes_on_to_the_same_weights(
    tmp_path: Path, killed_at: int, kept_by: type[Checkpoints]
) -> None:
    whole = scripted(RUNAWAY, Schedule(60, 0.1))
    with pytest.raises(Killed):
        scripted(RUNAWAY, Schedule(60, 0.1), kept_by(tmp_path, 0), killed_at)
    again = scripted(RUNAWAY, Schedule(60, 0.1), kept_by(tmp_path, 0))
    assert again[killed_at:] == whole[killed_at:]


def test_a_checkpoint_of_an_ended_training_holds_no_moments(tmp_path: Path) -> None:
    model = nn.Linear(4, 1)
    train(
        "fit",
        model,
        itertools.repeat([BATCH]),
        lambda _: model.weight.square().sum(),
        Schedule(3, 0.1),
        checkpoints=Checkpoints(tmp_path),
    )
    found = Checkpoints(tmp_path).load("fit")
    assert found is not None
    assert set(found.tensors) == {"random", "weight/weight", "weight/bias"}
