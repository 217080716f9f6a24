"""The optimizer loop that correction, alignment and distillation share.

Runs the schedule, watches it where it is told to, stops where the loss is no number. One process on one device, so
without accelerate: that would add only its mixed precision, where :mod:`.precision` rounds once a step and not in every
layer, and its saved state, whose optimizer and random numbers are pickled. Does not know what the loss means, or the
score.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from torch import Tensor, nn

from attar.runtime.errors import CheckFailed

from ..allocation import return_free_memory, return_large_blocks
from ..checkpoints import Checkpoints
from ..progress import Progress, say, track
from .batches import Batch
from .precision import Roundings, computing_in
from .room import require_room
from .state import Schedule, TrainingState, Watch

__all__ = ["Schedule", "Watch", "train"]

_NAMED_SAMPLES = 4
"""Of a batch that went wrong: the others follow from the order, which the seed gives."""


def train(
    title: str,
    model: nn.Module,
    batches: Iterable[Sequence[Batch]],
    loss_of: Callable[[Batch], Tensor],
    schedule: Schedule,
    *,
    precision: str = "float32",
    roundings: Roundings | None = None,
    checkpoints: Checkpoints | None = None,
    watch: Watch | None = None,
) -> list[float]:
    """Run the schedule; returns the loss at each step.

    Each of ``batches`` is a step's, in parts whose losses add up to its own. In bfloat16, and where weights have
    roundings, the model computes with rounded weights, and the optimizer changes the fp32 ones by the gradients of
    those: straight through, as if nothing were rounded.

    With checkpoints it goes on from the last one, to the very weights that an uninterrupted run would have given (same
    seed, threads and machine). ``batches`` must be the same again, and enough. With a watch the model ends with the
    weights of the best score, and where its loss runs away it goes back to the best so far, at half of the rate; scores
    are taken of the fp32 weights, or of what their roundings make of these.

    Raises:
        CheckFailed: The loss or a gradient is not a finite number; the weights are those before that step. Or it ran
            away again and again; the weights are the best so far.
        Refused: The checkpoint is of another origin.
        TooLittleMemory: It can't fit; said before the first step.
    """
    return_large_blocks()
    return_free_memory()
    require_room(title, model, precision, keeps_best=watch is not None and checkpoints is None)
    roundings = roundings or {}
    state = TrainingState(title, model, schedule, roundings, checkpoints, watch)
    with track(title, schedule.steps, done=len(state.losses)) as progress:
        run = _Run(title, state, islice(batches, len(state.losses), None), loss_of, progress)
        while not state.has_ended:
            with computing_in(model, precision, roundings):
                run.steps(state.steps_to_score)
            with computing_in(model, "float32", roundings):
                state.take_score()
    if watch and (best := state.best_step) < len(state.losses):
        say(f"{title}: kept the weights of step {best}, {watch.name} {dict(state.scores)[best]:.4g}")
    return state.losses


class _Run:
    """What one call does, and how fast: earlier attempts don't count."""

    def __init__(
        self,
        title: str,
        state: TrainingState,
        batches: Iterator[Sequence[Batch]],
        loss_of: Callable[[Batch], Tensor],
        progress: Progress,
    ) -> None:
        self._title, self._state, self._batches = title, state, batches
        self._loss_of, self._progress = loss_of, progress
        self._tokens, self._started = 0, time.monotonic()

    def steps(self, count: int) -> None:
        """So many optimizer steps."""
        for _ in range(count):
            parts = next(self._batches)
            value = sum(self._backward(part) for part in parts)
            self._require_finite("gradient", self._state.clip_gradients(), parts)
            self._state.step(value)
            self._tokens += sum(part.tokens for part in parts)
            self._show()

    def _backward(self, part: Batch) -> float:
        """Gather the gradients of a part of the batch; returns its loss."""
        loss = self._loss_of(part)
        value = loss.item()
        self._require_finite("loss", value, [part])
        loss.backward()  # type: ignore[no-untyped-call]
        self._state.gather_gradients()
        return value

    def _show(self) -> None:
        recent = self._state.losses[-20:]
        figures = {"loss": sum(recent) / len(recent), **self._state.latest_score}
        self._progress(1, **figures, tokens_per_second=self._tokens / (time.monotonic() - self._started))

    def _require_finite(self, what: str, value: float, parts: Sequence[Batch]) -> None:
        if math.isfinite(value):
            return
        samples = [sample.id for part in parts for sample in part.samples]
        named, others = ", ".join(samples[:_NAMED_SAMPLES]), len(samples) - _NAMED_SAMPLES
        raise CheckFailed(
            f"The {what} became {value}.",
            where=f"{self._title}, step {len(self._state.losses)}",
            why=f"In the batch of the samples {named}" + (f" and {others} more." if others > 0 else ".")
            if samples
            else "In requests that the teacher made up, which are rehearsed.",
            next_step="Look at them with attar data show, lower the learning rate, or set distillation.precision to "
            "float32. The last checkpoint is kept.",
        )
