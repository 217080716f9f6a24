"""The state of a training: weights, optimizer, losses and scores, and how they are kept and taken up again.

Does not know batches, or what a loss or a score means.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from attar.runtime.errors import Refused

from ..checkpoints import Checkpoint, Checkpoints

__all__ = ["Schedule", "TrainingState", "Watch"]

_CLIP = 1.0
_BETAS = (0.9, 0.95)
_MOMENTS = ("exp_avg", "exp_avg_sq")


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

    def factor(self, step: int) -> float:
        """The rate at a step, as a fraction of the peak."""
        rising = max(1, round(self.steps * self.warmup))
        if step < rising:
            return (step + 1) / rising
        return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, self.steps - rising)))


@dataclass(frozen=True)
class Watch:
    """By what the best weights of a training are known.

    Attributes:
        name: What the score is called.
        every: Steps from one score to the next; the last step's weights are scored too.
        score: Takes the score of the model as it is; must draw no random numbers, and leave the model as it was.
        lower_is_better: Whether it is a loss.
        patience: Scores in a row without a better one after which training ends; None goes on to the last step.
    """

    name: str
    every: int
    score: Callable[[], float]
    lower_is_better: bool = False
    patience: int | None = None


class TrainingState:
    """What a training has come to.

    The masters share the memory of the fp32 weights that the model holds when it is not computing in another format.

    Args:
        title: Names the checkpoint.
        model: Those of its parameters that want gradients are trained.
        schedule: How long and how fast.
        checkpoints: Where the state is kept, and taken from now where it is there.
        watch: By what the best weights are known; None keeps the last.
        origin: What the training starts from and learns of; a checkpoint of another is refused.

    Attributes:
        losses: Of each step.
        scores: The step after which each score was taken, and the score.

    Raises:
        Refused: The checkpoint is of another origin.
    """

    def __init__(
        self,
        title: str,
        model: nn.Module,
        schedule: Schedule,
        checkpoints: Checkpoints | None,
        watch: Watch | None,
        origin: Mapping[str, str],
    ) -> None:
        self.losses: list[float] = []
        self.scores: list[tuple[int, float]] = []
        self._title, self._schedule, self._checkpoints = title, schedule, checkpoints
        self._watch, self._origin = watch, dict(origin)
        self._kept = False
        self._weights = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
        self._masters = {name: nn.Parameter(weight.data) for name, weight in self._weights.items()}
        self._best: dict[str, Tensor] = {}
        self._optimizer = torch.optim.AdamW(
            self._masters.values(), schedule.learning_rate, betas=_BETAS, weight_decay=0.0, fused=True
        )
        if found := checkpoints.load(title) if checkpoints else None:
            self._restore(found)

    @property
    def has_ended(self) -> bool:
        """Whether all steps are done and scored, or the patience is spent."""
        if self._kept:
            return True
        if self._watch is None:
            return len(self.losses) >= self._schedule.steps
        worse = sum(step > self.best_step for step, _ in self.scores)
        spent = self._watch.patience is not None and worse >= self._watch.patience
        return spent or (len(self.losses) >= self._schedule.steps and self.steps_to_score == 0 and self._is_scored)

    @property
    def steps_to_score(self) -> int:
        """Steps until the next score is due, or until the end where there is no watch."""
        every = self._watch.every if self._watch else self._schedule.steps
        last = self.scores[-1][0] if self.scores else 0
        return min(last + every, self._schedule.steps) - len(self.losses)

    @property
    def best_step(self) -> int:
        """After how many steps the score was best; of equal ones the latest."""
        return max(self.scores, key=lambda each: (self._worth(each[1]), each[0]))[0] if self.scores else 0

    @property
    def best_score(self) -> float:
        """That score."""
        return dict(self.scores).get(self.best_step, math.nan)

    @property
    def last_score(self) -> dict[str, float]:
        """The latest score by its name, for the progress; empty before the first."""
        return {self._watch.name: self.scores[-1][1]} if self._watch and self.scores else {}

    def gather_gradients(self) -> float:
        """Take over the model's gradients, clipped; returns their norm before that."""
        for name, weight in self._weights.items():
            self._masters[name].grad = None if weight.grad is None else weight.grad.float()
            weight.grad = None
        return float(nn.utils.clip_grad_norm_(self._masters.values(), _CLIP))

    def step(self, loss: float) -> None:
        """One optimizer step on the gradients that were gathered."""
        for group in self._optimizer.param_groups:
            group["lr"] = self._schedule.learning_rate * self._schedule.factor(len(self.losses))
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        for name, weight in self._weights.items():
            weight.data.copy_(self._masters[name].data)
        self.losses.append(loss)
        if self._checkpoints and self._checkpoints.is_due():
            self._save()

    def take_score(self) -> None:
        """Score the weights as they are, and keep a copy where they are the best so far."""
        if self._watch is None:
            return
        self.scores.append((len(self.losses), self._watch.score()))
        if self.best_step == len(self.losses) and not self.has_ended:
            self._best = {name: master.detach().clone() for name, master in self._masters.items()}

    def end(self) -> None:
        """Leave the model with the best weights, and keep them."""
        if self._kept:
            return
        if self._watch and self.best_step < len(self.losses):
            self._put(self._best)
        self._kept = True
        self._best = {}
        if self._checkpoints:
            self._save()

    @property
    def _is_scored(self) -> bool:
        return bool(self.scores) and self.scores[-1][0] == len(self.losses)

    def _worth(self, score: float) -> float:
        return -score if self._watch and self._watch.lower_is_better else score

    def _save(self) -> None:
        assert self._checkpoints is not None
        tensors = {f"weight/{name}": master.detach() for name, master in self._masters.items()}
        tensors |= {f"best/{name}": weight for name, weight in self._best.items()}
        tensors["random"] = torch.get_rng_state()
        if not self._kept:
            for name, master in self._masters.items():
                moments = self._optimizer.state.get(master, {})  # none where a weight never had a gradient
                tensors |= {f"{moment}/{name}": moments[moment] for moment in _MOMENTS if moment in moments}
        facts = {"losses": self.losses, "scores": self.scores, "ended": self._kept, "origin": self._origin}
        self._checkpoints.save(self._title, tensors, facts)

    def _restore(self, found: Checkpoint) -> None:
        self._require_same_origin(found.facts["origin"])
        self.losses.extend(found.facts["losses"])
        self.scores.extend((step, score) for step, score in found.facts["scores"])
        self._kept = found.facts["ended"]
        steps = torch.tensor(float(len(self.losses)))
        self._put({name: found.tensors[f"weight/{name}"] for name in self._masters})
        self._best = {name: found.tensors[f"best/{name}"] for name in self._masters if f"best/{name}" in found.tensors}
        for name, master in self._masters.items():
            moments = {moment: found.tensors.get(f"{moment}/{name}") for moment in _MOMENTS}
            if None not in moments.values():
                self._optimizer.state[master] = {"step": steps.clone(), **moments}
        torch.set_rng_state(found.tensors["random"])

    def _put(self, weights: Mapping[str, Tensor]) -> None:
        with torch.no_grad():
            for name, master in self._masters.items():
                master.copy_(weights[name])

    def _require_same_origin(self, found: Mapping[str, str]) -> None:
        other = sorted(name for name in {*found, *self._origin} if found.get(name) != self._origin.get(name))
        if other:
            assert self._checkpoints is not None
            raise Refused(
                f"The checkpoint of {self._title!r} is of another {' and another '.join(other)}.",
                where=self._checkpoints.folder,
                why="Going on from it would train on weights that do not belong together.",
                next_step="Give what it was made with, or another folder for checkpoints.",
            )
