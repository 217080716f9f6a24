"""Intervals of shares: how far a share of few things can be trusted.

Pure functions of numbers. Does not know what is counted.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass

__all__ = ["LEVEL", "Interval", "grouped_share", "paired_loss", "wilson"]

LEVEL = 0.95
_Z = statistics.NormalDist().inv_cdf(0.5 + LEVEL / 2)


@dataclass(frozen=True)
class Interval:
    """An estimate with the ends of its 95 % interval."""

    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float]:
        """The same, for JSON."""
        return asdict(self)


def wilson(right: float, n: float) -> Interval:
    """A share of n answers, with Wilson's score interval (JASA 22, 1927); 0 to 1 where n is 0."""
    if n == 0:
        return Interval(0.0, 0.0, 1.0)
    share = right / n
    center = (share + _Z * _Z / (2 * n)) / (1 + _Z * _Z / n)
    half = _Z / (1 + _Z * _Z / n) * math.sqrt(share * (1 - share) / n + _Z * _Z / (4 * n * n))
    return Interval(share, max(0.0, min(share, center - half)), min(1.0, max(share, center + half)))


def grouped_share(right: Sequence[int], sizes: Sequence[int]) -> Interval:
    """A share of things that come in groups and are alike within one, as the tokens of an answer are.

    Wilson's interval for as many independent things as would tell as much: the number over the design effect
    (Kish, "Survey Sampling", 1965, section 8.2), with the variance of a ratio over groups.

    Args:
        right: In each group, how many are right.
        sizes: In each group, how many there are; at least 1.
    """
    n, groups = sum(sizes), len(sizes)
    if groups < 2:
        return Interval(sum(right) / n, 0.0, 1.0) if n else wilson(0, 0)
    share = sum(right) / n
    spread = sum((count - share * size) ** 2 for count, size in zip(right, sizes, strict=True))
    variance = spread * groups / (groups - 1) / n**2
    alone = share * (1 - share)
    effective = min(n, alone / variance) if variance else n
    return wilson(share * effective, effective)


def paired_loss(lost: int, gained: int, n: int) -> Interval:
    """How many of n answers one model has right less than another does, as a share, with Wald's interval.

    Agresti, "Categorical Data Analysis" (2002), section 10.1.1.

    Args:
        lost: Answers that only the other has right.
        gained: Answers that only this one has right.
        n: All answers.
    """
    if n == 0:
        return Interval(0.0, -1.0, 1.0)
    loss = (lost - gained) / n
    half = _Z * math.sqrt(max(0.0, (lost + gained) / n - loss * loss) / n)
    return Interval(loss, loss - half, loss + half)
