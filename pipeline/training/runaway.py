"""Whether a training has run away: its loss left the place it began at for good, as too high a rate makes it do.

Hands on one question about a list of losses. Does not know weights, rates, or what is done about it.

A loss may rise and come back: those of aligned layers went from 0.03 nats a token up to 0.9 under a high rate, and fell
again. One that had risen from 1.0 to 7.2 within forty steps ended at 4.6, with no answer right, and so did every
student that was cut from it (benchmarks/LOG.md, "a rate that ran away").
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

__all__ = ["WINDOW", "has_run_away"]

WINDOW = 10
"""Steps whose mean counts: a single batch may be as hard as it likes."""
_TIMES = 3.0
"""How far above its beginning a loss is gone."""
_LEAST = 3.0
"""Nats a token: who gives one token in twenty its due knows no answer. Losses that never come so high, such as the
Jensen-Shannon divergence with its bound of 0.69, can't be judged so, and are not."""


def has_run_away(losses: Sequence[float], begun: int = 0) -> bool:
    """Whether the mean of the last ten losses is three times that of the first ten, and at least three.

    Args:
        losses: Of each step.
        begun: The step that the weights were last put back at; those before say nothing of how it goes since.
    """
    recent = losses[max(begun, len(losses) - WINDOW) :]
    if len(recent) < WINDOW:
        return False
    return fmean(recent) > max(_LEAST, _TIMES * fmean(losses[:WINDOW]))
