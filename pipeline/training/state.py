"""The state of a training: weights, optimizer, losses and scores, and how they are kept and taken up again.

Where training is watched and its loss runs away, it goes on from the best weights, or those it began with, at half of
the rate. Does not know batches, or what a loss or a score means.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from attar.runtime.errors import CheckFailed

from ..checkpoints import Checkpoint, Checkpoints
from ..progress import say
from .best import BestWeights
from .precision import Roundings, put
from .runaway import has_run_away

__all__ = ["Schedule", "TrainingState", "Watch"]

_CLIP = 1.0
_BETAS = (0.9, 0.95)
_MOMENTS = ("exp_avg", "exp_avg_sq")
_MOST_RETURNS = 3
"""Each at half of the rate before: an eighth of what was asked for, and then it is not the rate."""


@dataclass(frozen=True)
class Schedule:
    """How long and how fast.

    Attributes:
        steps: Optimizer steps.
        learning_rate: The peak.
        warmup: Fraction of the steps in which the rate rises linearly to the peak; then it falls
            to zero along a cosine.
    """

    steps: int
    learning_rate: float
    warmup: float = 0.05

    def factor(self, step: int, begun: int = 0) -> float:
        """The rate at a step, as a fraction of the peak; it rises anew from the step where training began anew."""
        rising = max(1, round(self.steps * self.warmup))
        risen = min(1.0, (step - begun + 1) / rising)
        return risen * 0.5 * (1 + math.cos(math.pi * max(0, step - rising) / max(1, self.steps - rising)))


@dataclass(frozen=True)
class Watch:
    """By what the best weights of a training are known.

    Attributes:
        name: What the score is called.
        every: Steps from one score to the next; the last step's weights are scored too.
        score: Takes the score of the model as it is; must draw no random numbers, and leave the model as it was.
        lower_is_better: Whether it is a loss.
        margin: Of the best score, how far from it others are as good: of their weights the latest are kept, which were
            trained longest, at the lowest rate.
        patience: Scores in a row after the best one that end the training; None goes on to the last step.
    """

    name: str
    every: int
    score: Callable[[], float]
    lower_is_better: bool = False
    margin: Callable[[float], float] = lambda best: 0.0
    patience: int | None = None

    def worth(self, score: float) -> float:
        """The score with its sign turned where it is a loss; one that is no number is worth least."""
        if math.isnan(score):
            return -math.inf
        return -score if self.lower_is_better else score


class TrainingState:
    """What a training has come to.

    The masters share the memory of the fp32 weights that the model holds when it is not computing in another format.

    Args:
        title: Names the checkpoint.
        model: Those of its parameters that want gradients are trained.
        schedule: How long and how fast.
        roundings: How weights are rounded on the way from the masters to the model.
        checkpoints: Where the state is kept, and taken from now where it is there.
        watch: By what the best weights are known; None keeps the last.

    Attributes:
        losses: Of each step.
        scores: The step after which each score was taken, and the score.
        returns: The steps after which the loss had run away, and the weights were put back.
        has_ended: Whether nothing is left to do, and the masters are the weights to keep.

    Raises:
        Refused: The checkpoint is of another origin.
    """

    def __init__(
        self,
        title: str,
        model: nn.Module,
        schedule: Schedule,
        roundings: Roundings,
        checkpoints: Checkpoints | None,
        watch: Watch | None,
    ) -> None:
        self.losses: list[float] = []
        self.scores: list[tuple[int, float]] = []
        self.returns: list[int] = []
        self.has_ended = False
        self._title, self._schedule, self._roundings = title, schedule, roundings
        self._checkpoints, self._watch = checkpoints, watch
        self._weights = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
        self._masters = {name: nn.Parameter(weight.data) for name, weight in self._weights.items()}
        self._best = BestWeights(title, self._masters, checkpoints)
        self._optimizer = torch.optim.AdamW(
            self._masters.values(), schedule.learning_rate, betas=_BETAS, weight_decay=0.0, fused=True
        )
        if found := checkpoints.load(title) if checkpoints else None:
            self._restore(found)
        elif watch:
            self._best.keep(0)

    @property
    def steps_to_score(self) -> int:
        """Steps until the next score is due, or until the end where there is no watch."""
        every = self._watch.every if self._watch else self._schedule.steps
        last = self.scores[-1][0] if self.scores else 0
        return min(last + every, self._schedule.steps) - len(self.losses)

    @property
    def best_step(self) -> int:
        """After how many steps the score was best; without a watch, all."""
        if self._watch is None:
            return len(self.losses)
        worths = [(step, self._watch.worth(score)) for step, score in self.scores]
        best = max((worth for _, worth in worths), default=0.0)
        least = best - self._watch.margin(abs(best)) if math.isfinite(best) else best
        return max((step for step, worth in worths if worth >= least), default=0)

    @property
    def latest_score(self) -> dict[str, float]:
        """By its name; empty before the first."""
        return {self._watch.name: self.scores[-1][1]} if self._watch and self.scores else {}

    def gather_gradients(self) -> None:
        """Take over the model's gradients, and add them in fp32 to what was gathered since the last step."""
        for name, weight in self._weights.items():
            master, gradient, weight.grad = self._masters[name], weight.grad, None
            if gradient is None:
                continue
            if master.grad is None:
                master.grad = gradient.float()
            else:
                master.grad += gradient

    def clip_gradients(self) -> float:
        """Clip what was gathered; returns its norm before that."""
        return float(nn.utils.clip_grad_norm_(self._masters.values(), _CLIP))

    def step(self, loss: float) -> None:
        """One optimizer step on the gradients that were gathered.

        Raises:
            CheckFailed: The loss runs away however low the rate is.
        """
        peak = self._peak(len(self.returns))
        for group in self._optimizer.param_groups:
            group["lr"] = peak * self._schedule.factor(len(self.losses), self._begun)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        self.losses.append(loss)
        if self._watch and has_run_away(self.losses, self._begun):
            self._go_back()
        for name, weight in self._weights.items():
            put(weight, self._masters[name].data, self._roundings)
        if self._checkpoints and self._checkpoints.is_due():
            self._save(self._checkpoints)

    def take_score(self) -> None:
        """Score the weights as they are, where they are watched; end where no step is left, or no patience."""
        done = len(self.losses)
        if self._watch:
            self.scores.append((done, self._watch.score()))
        if done >= self._schedule.steps or self._patience_is_spent():
            self._end()
        elif self.best_step == done:
            self._best.keep(done)

    @property
    def _begun(self) -> int:
        """The step since which nothing was put back."""
        return self.returns[-1] if self.returns else 0

    def _go_back(self) -> None:
        """Take the best weights so far, with no moments, at half of the rate."""
        self._best.put_back(self.best_step)
        self._optimizer.state.clear()
        self.returns.append(len(self.losses))
        if len(self.returns) > _MOST_RETURNS:
            tried = ", ".join(f"{self._peak(count):.3g}" for count in range(len(self.returns)))
            raise CheckFailed(
                f"The loss ran away {len(self.returns)} times.",
                where=f"{self._title}, step {len(self.losses)}",
                why=f"The peak rates were {tried}.",
                next_step="Lower the learning rate further, or look at the samples with attar data show.",
            )
        say(
            f"{self._title}: the loss ran away by step {len(self.losses)}; it goes on from the weights of step "
            f"{self.best_step} at a peak rate of {self._peak(len(self.returns)):.3g}, half of what it was"
        )

    def _peak(self, returns: int) -> float:
        """The peak rate after so many returns."""
        return self._schedule.learning_rate * 0.5**returns

    def _patience_is_spent(self) -> bool:
        if self._watch is None or self._watch.patience is None:
            return False
        return sum(step > self.best_step for step, _ in self.scores) >= self._watch.patience

    def _end(self) -> None:
        """Take the best weights for good."""
        if self.best_step < len(self.losses):
            self._best.put_back(self.best_step)
        self.has_ended = True
        if self._checkpoints:
            self._save(self._checkpoints)

    def _save(self, checkpoints: Checkpoints) -> None:
        tensors = {f"weight/{name}": master.detach() for name, master in self._masters.items()}
        tensors["random"] = torch.get_rng_state()
        if not self.has_ended:
            for name, master in self._masters.items():
                moments = self._optimizer.state.get(master, {})  # none where a weight never had a gradient
                tensors |= {f"{moment}/{name}": moments[moment] for moment in _MOMENTS if moment in moments}
        facts = {"losses": self.losses, "scores": self.scores, "returns": self.returns, "ended": self.has_ended}
        checkpoints.save(self._title, tensors, facts)
        self._best.checkpointed(None if self.has_ended else self.best_step)

    def _restore(self, found: Checkpoint) -> None:
        self.losses.extend(found.facts["losses"])
        self.scores.extend((step, score) for step, score in found.facts["scores"])
        self.returns.extend(found.facts["returns"])
        self.has_ended = found.facts["ended"]
        with torch.no_grad():
            for name, master in self._masters.items():
                master.copy_(found.tensors[f"weight/{name}"])
        steps = torch.tensor(float(len(self.losses) - self._begun))
        for name, master in self._masters.items():
            moments = {moment: found.tensors.get(f"{moment}/{name}") for moment in _MOMENTS}
            if None not in moments.values():
                self._optimizer.state[master] = {"step": steps.clone(), **moments}
        self._best.checkpointed(None if self.has_ended else self.best_step)
        torch.set_rng_state(found.tensors["random"])
