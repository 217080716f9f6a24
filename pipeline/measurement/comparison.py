"""How many times one thing takes what another takes, with an interval, on a machine that does other things too.

Measurements are taken in blocks of first, second, second, first. Each figure counts relative to its neighbour
of the other kind, so what slows both for a while cancels, and a steady drift weighs on both alike. The interval
comes from drawing whole blocks again. Does not know what is measured.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TypeVar

from attar.runtime.errors import UsageError

__all__ = ["Block", "Comparison", "compare", "compare_blocks", "take_blocks"]

Block = tuple[Sequence[float], Sequence[float]]
"""What was measured together: as many figures of the first thing as of the second."""

_T = TypeVar("_T")

_DRAWS = 4000
_LEVEL = 0.95
_SEED = 20_150


@dataclass(frozen=True)
class Comparison:
    """What the second thing takes as a multiple of the first.

    Attributes:
        ratio: Of the medians, each figure taken relative to its neighbour: the median of the neighbours' ratios.
        low: Lower end of the 95 % interval.
        high: Its upper end.
        pairs: Figures of each thing.
    """

    ratio: float
    low: float
    high: float
    pairs: int

    def to_dict(self) -> dict[str, float]:
        """The same, for JSON."""
        return asdict(self)


def compare(
    first: Callable[[], float], second: Callable[[], float], pairs: int, *, warmups: int = 1, seed: int = _SEED
) -> Comparison:
    """Measure two things in turn and compare them.

    Args:
        first: Does the first thing and says what it took.
        second: The same for the second thing.
        pairs: Figures of each that count, made even; about 30 tell a tenth apart.
        warmups: Pairs before those, thrown away.
        seed: Of the draws.

    Raises:
        UsageError: ``pairs`` is below 1, or a figure is not positive.
    """
    for _ in range(warmups):
        first(), second()
    return compare_blocks(list(take_blocks(first, second, pairs)), seed=seed)


def take_blocks(
    first: Callable[[], _T], second: Callable[[], _T], pairs: int
) -> Iterator[tuple[tuple[_T, _T], tuple[_T, _T]]]:
    """Measure in blocks of first, second, second, first; each block is two pairs."""
    for _ in range(-(-pairs // 2)):
        early, one, other, late = first(), second(), second(), first()
        yield (early, late), (one, other)


def compare_blocks(blocks: Sequence[Block], *, seed: int = _SEED) -> Comparison:
    """Ratio of medians, with a percentile bootstrap interval over blocks, widened for few blocks.

    The widening is the "expanded percentile interval" of Hesterberg, "What Teachers Should Know About the
    Bootstrap" (arXiv 1411.5279): without it, the interval of a few blocks is too narrow. One block has no
    spread to draw from; its interval is what it holds.

    Raises:
        UsageError: There is no block, or a figure is not positive.
    """
    import numpy as np

    if not blocks or any(figure <= 0 for first, second in blocks for figure in (*first, *second)):
        raise UsageError("Only positive figures can be compared, and at least one of each.")
    first, second = np.array([block[0] for block in blocks]), np.array([block[1] for block in blocks])
    relative = np.log(second / first)
    drawn = np.random.default_rng(seed).integers(0, len(blocks), (_DRAWS, len(blocks)))
    tail = _tail(len(blocks))
    low, high = np.quantile(np.median(relative[drawn], axis=(1, 2)), [tail, 1 - tail])
    return Comparison(float(np.exp(np.median(relative))), float(np.exp(low)), float(np.exp(high)), relative.size)


def _tail(blocks: int) -> float:
    """The share of draws to leave out at each end."""
    if blocks < 2:
        return 0.0
    normal, freedom = statistics.NormalDist(), blocks - 1
    z = normal.inv_cdf(0.5 + _LEVEL / 2)
    # Student's t from the normal quantile: Abramowitz and Stegun, 26.7.5.
    t = (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )
    return normal.cdf(-t * (blocks / freedom) ** 0.5)
