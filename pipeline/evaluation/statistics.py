"""Statistics of answers that are right or wrong, or right in part: intervals, and paired comparisons.

Pure functions of numbers. Does not know models, or what a difference is called.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from attar.runtime.intervals import LEVEL, Interval, wilson

__all__ = ["Interval", "bootstrap_difference", "mcnemar", "wilson"]

_RESAMPLES = 10_000
_SEED = 20_260
_CHUNK = 1_000_000
"""Draws at a time, so that memory does not grow with the samples."""


def bootstrap_difference(
    ours: Sequence[float], theirs: Sequence[float], *, resamples: int = _RESAMPLES, seed: int = _SEED
) -> Interval:
    """Mean of ``ours - theirs`` over the same questions, with the percentile interval of the paired bootstrap.

    Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13: questions are drawn again, each with
    both its answers. Where all differences are equal the interval has no width, however few they are.

    Args:
        ours: What each answer of the first model is worth, 0 to 1.
        theirs: The same of the second model, in the same order.
        resamples: How often all questions are drawn again.
        seed: Of the draws.

    Raises:
        ValueError: There is no question, or not as many of one as of the other.
    """
    import numpy as np

    if not ours or len(ours) != len(theirs):
        raise ValueError("as many answers of one model as of the other are needed, and at least one")
    differences = np.asarray(ours, dtype=np.float64) - np.asarray(theirs, dtype=np.float64)
    rng, n = np.random.default_rng(seed), len(differences)
    step = max(1, _CHUNK // n)
    means = np.concatenate(
        [
            differences[rng.integers(0, n, (min(step, resamples - start), n))].mean(axis=1)
            for start in range(0, resamples, step)
        ]
    )
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(differences.mean()), float(low), float(high))


def mcnemar(gained: int, lost: int) -> float:
    """Two-sided p-value of the exact McNemar test.

    The binomial test of the questions that one model alone answers right (Psychometrika 12, 1947): with no
    difference each falls to either side like a coin.

    Args:
        gained: Questions that the first model alone answers right.
        lost: Questions that the second alone answers right.
    """
    n, rarer = gained + lost, min(gained, lost)
    term, total = 1, 1  # exact integers: comb(n, k), and the sum of them
    for k in range(1, rarer + 1):
        term = term * (n - k + 1) // k
        total += term
    return min(1.0, 2 * total / 2**n) if n < 1000 else min(1.0, math.exp(math.log(2 * total) - n * math.log(2)))
