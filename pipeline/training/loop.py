"""The optimizer loop that correction, alignment and distillation share.

Runs the schedule, watches it where it is told to, stops where the loss is no number. Does not know what the loss
means, or the score.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice

from torch import Tensor, nn

from attar.runtime.errors import CheckFailed

from ..allocation import return_large_blocks
from ..checkpoints import Checkpoints
from ..progress import Progress, say, track
from .batches import Batch
from .precision import computing_in
from .state import Schedule, TrainingState, Watch

__all__ = ["Schedule", "Watch", "train"]

_NAMED_SAMPLES = 4
"""Of a batch that went wrong: the others follow from the order, which the seed gives."""


def train(
    title: str,
    model: nn.Module,
    batches: Iterable[Batch],
    loss_of: Callable[[Batch], Tensor],
    schedule: Schedule,
    *,
    precision: str = "float32",
    checkpoints: Checkpoints | None = None,
    watch: Watch | None = None,
    origin: Mapping[str, str] | None = None,
) -> list[float]:
    """Run the schedule; returns the loss at each step.

    In bfloat16 the model computes with rounded weights, and the optimizer changes the fp32 ones. With checkpoints
    it goes on from the last one, to the very weights that an uninterrupted run would have given (same seed, threads
    and machine). ``batches`` must be the same again, and endless. With a watch the model ends with the weights of the
    best score.

    Raises:
        CheckFailed: The loss or a gradient is not a finite number; the weights are those before that step.
        Refused: The checkpoint is of another origin, such as another teacher.
    """
    return_large_blocks()
    state = TrainingState(title, model, schedule, checkpoints, watch, origin or {})
    left = iter(islice(batches, len(state.losses), None))
    with track(title, schedule.steps, done=len(state.losses)) as progress:
        run = _Run(title, state, loss_of, progress)
        while not state.has_ended:
            with computing_in(model, precision):
                run.steps(left, state.steps_to_score)
            state.take_score()
        state.end()
    if watch and state.best_step < len(state.losses):
        say(f"{title}: kept the weights of step {state.best_step}, {watch.name} {state.best_score:.4g}")
    return state.losses


class _Run:
    """What one call does, and how fast: earlier attempts don't count."""

    def __init__(
        self, title: str, state: TrainingState, loss_of: Callable[[Batch], Tensor], progress: Progress
    ) -> None:
        self._title, self._state, self._loss_of, self._progress = title, state, loss_of, progress
        self._tokens, self._started = 0, time.monotonic()

    def steps(self, batches: Iterator[Batch], count: int) -> None:
        """So many optimizer steps."""
        for _ in range(count):
            batch = next(batches)
            loss = self._loss_of(batch)
            value = loss.item()
            self._require_finite("loss", value, batch)
            loss.backward()  # type: ignore[no-untyped-call]
            self._require_finite("gradient", self._state.gather_gradients(), batch)
            self._state.step(value)
            self._tokens += batch.tokens
            self._show()

    def _show(self) -> None:
        recent = self._state.losses[-20:]
        figures = {"loss": sum(recent) / len(recent)}
        figures["tokens_per_second"] = self._tokens / (time.monotonic() - self._started)
        self._progress(1, **figures, **self._state.last_score)

    def _require_finite(self, what: str, value: float, batch: Batch) -> None:
        if math.isfinite(value):
            return
        named = ", ".join(sample.id for sample in batch.samples[:_NAMED_SAMPLES])
        others = len(batch.samples) - _NAMED_SAMPLES
        raise CheckFailed(
            f"The {what} became {value}.",
            where=f"{self._title}, step {len(self._state.losses)}",
            why=f"In the batch of the samples {named}" + (f" and {others} more." if others > 0 else "."),
            next_step="Look at them with attar data show, lower the learning rate, or set distillation.precision to "
            "float32. The last checkpoint is kept.",
        )
