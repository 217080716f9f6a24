"""The optimizer loop that correction, alignment and distillation share.

AdamW, warm-up and cosine decay, clipped gradients; goes on from a checkpoint. Does not know what the loss means.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor, nn

from attar.runtime.errors import CheckFailed

from ..checkpoints import Checkpoint, Checkpoints
from ..progress import track
from .batches import Batch
from .precision import Roundings, computing_in, put

__all__ = ["Schedule", "train"]

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


def train(
    title: str,
    model: nn.Module,
    batches: Iterable[Batch],
    loss_of: Callable[[Batch], Tensor],
    schedule: Schedule,
    *,
    precision: str = "float32",
    roundings: Roundings | None = None,
    checkpoints: Checkpoints | None = None,
) -> list[float]:
    """Run the schedule; returns the loss at each step.

    In bfloat16, and where weights have roundings, the model computes with rounded weights, and the optimizer changes
    the fp32 ones by the gradients of those: straight through, as if nothing were rounded. With checkpoints
    it goes on from the last one, to the very weights that an uninterrupted run would have given (same seed, threads
    and machine). ``batches`` must be the same again.

    Raises:
        CheckFailed: The loss is not a finite number; the weights are those before that step.
    """
    training = _Training(title, model, schedule, roundings or {}, checkpoints)
    losses = training.losses
    tokens, started = 0, time.monotonic()
    with computing_in(model, precision, roundings), track(title, schedule.steps, done=len(losses)) as progress:
        for batch in islice(batches, len(losses), schedule.steps):
            loss = loss_of(batch)
            value = _finite(loss.item(), title, len(losses))
            loss.backward()  # type: ignore[no-untyped-call]
            training.step(value)
            tokens += batch.tokens
            recent = losses[-20:]
            progress(loss=sum(recent) / len(recent), tokens_per_second=tokens / (time.monotonic() - started))
    return losses


class _Training:
    """Weights, optimizer and random state, and how they are kept and taken up again.

    The masters share the memory of the fp32 weights that the model holds when it is not computing in another format.
    """

    def __init__(
        self, title: str, model: nn.Module, schedule: Schedule, roundings: Roundings, checkpoints: Checkpoints | None
    ) -> None:
        self.title = title
        self.roundings = roundings
        self.schedule = schedule
        self.checkpoints = checkpoints
        self.losses: list[float] = []
        self._weights = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
        self._masters = {name: nn.Parameter(weight.data) for name, weight in self._weights.items()}
        self._optimizer = torch.optim.AdamW(
            self._masters.values(), schedule.learning_rate, betas=_BETAS, weight_decay=0.0, fused=True
        )
        found = checkpoints.load(title) if checkpoints else None
        if found:
            self._restore(found)

    def step(self, loss: float) -> None:
        """One optimizer step on the gradients that are there."""
        for group in self._optimizer.param_groups:
            group["lr"] = self.schedule.learning_rate * self.schedule.factor(len(self.losses))
        for name, weight in self._weights.items():
            self._masters[name].grad = None if weight.grad is None else weight.grad.float()
            weight.grad = None
        nn.utils.clip_grad_norm_(self._masters.values(), _CLIP)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        for name, weight in self._weights.items():
            put(weight, self._masters[name].data, self.roundings)
        self.losses.append(loss)
        ended = len(self.losses) == self.schedule.steps
        if self.checkpoints and (ended or self.checkpoints.is_due()):
            self.checkpoints.save(self.title, self._state(with_moments=not ended), {"losses": self.losses})

    def _state(self, *, with_moments: bool) -> dict[str, Tensor]:
        state = {f"weight/{name}": master.detach() for name, master in self._masters.items()}
        state["random"] = torch.get_rng_state()
        if with_moments:
            for name, master in self._masters.items():
                moments = self._optimizer.state.get(master, {})  # none where a weight never had a gradient
                state |= {f"{moment}/{name}": moments[moment] for moment in _MOMENTS if moment in moments}
        return state

    def _restore(self, found: Checkpoint) -> None:
        self.losses.extend(found.facts["losses"])
        steps = torch.tensor(float(len(self.losses)))
        with torch.no_grad():
            for name, master in self._masters.items():
                master.copy_(found.tensors[f"weight/{name}"])
                moments = {moment: found.tensors.get(f"{moment}/{name}") for moment in _MOMENTS}
                if None not in moments.values():
                    self._optimizer.state[master] = {"step": steps.clone(), **moments}
        torch.set_rng_state(found.tensors["random"])


def _finite(loss: float, title: str, step: int) -> float:
    if not math.isfinite(loss):
        raise CheckFailed(
            f"The loss became {loss}.",
            where=f"{title}, step {step}",
            next_step="Lower the learning rate, or set distillation.precision to float32.",
        )
    return loss
