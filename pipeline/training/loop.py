"""The optimizer loop that correction, alignment and distillation share.

AdamW, warm-up and cosine decay, clipped gradients. Does not know what the loss means.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from attar.runtime.errors import CheckFailed

from ..progress import track
from .batches import Batch

__all__ = ["Schedule", "train"]

_CLIP = 1.0
_BETAS = (0.9, 0.95)


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
) -> list[float]:
    """Run the schedule; returns the loss at each step.

    Raises:
        CheckFailed: The loss is not a finite number; the weights are those before that step.
    """
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, schedule.learning_rate, betas=_BETAS, weight_decay=0.0, fused=True)
    rates = torch.optim.lr_scheduler.LambdaLR(optimizer, schedule.factor)
    losses: list[float] = []
    tokens, started = 0, time.monotonic()
    with track(title, schedule.steps) as progress:
        for step, batch in zip(range(schedule.steps), batches, strict=False):
            loss = loss_of(batch)
            losses.append(_finite(loss.item(), title, step))
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(parameters, _CLIP)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            rates.step()
            tokens += batch.tokens
            recent = losses[-20:]
            progress(loss=sum(recent) / len(recent), tokens_per_second=tokens / (time.monotonic() - started))
    return losses


def _finite(loss: float, title: str, step: int) -> float:
    if not math.isfinite(loss):
        raise CheckFailed(
            f"The loss became {loss}.",
            where=f"{title}, step {step}",
            next_step="Lower the learning rate, or set distillation.precision to float32.",
        )
    return loss
