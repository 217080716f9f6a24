"""The verdict: one model against another on the same held-out questions, in one word, over all and by question kind.

Does not know models: it is handed what each answer is worth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from .statistics import Interval, bootstrap_difference, mcnemar, wilson

__all__ = ["BEATS", "HOLDS", "INCONCLUSIVE", "LOSES", "WEAK_SHARE", "Comparison", "Verdict", "judge"]

BEATS, HOLDS, LOSES, INCONCLUSIVE = "BEATS", "HOLDS", "LOSES", "INCONCLUSIVE"
_MARGIN = 0.02
"""How much worse still holds, in exact match."""
WEAK_SHARE = 0.8
"""A kind below this share of the other model's exact match is named in the card."""


@dataclass(frozen=True)
class Comparison:
    """Two models on the same questions.

    Attributes:
        word: BEATS where the interval of the difference lies above 0; else HOLDS where it lies above -2 points;
            else LOSES where it lies below 0; else INCONCLUSIVE.
        difference: In exact match, the first model's less the second's, with the paired bootstrap's interval.
        p_value: Of the exact McNemar test.
        gained: Questions that the first model alone answers right.
        lost: Questions that the second alone answers right.
        ours: Exact match of the first model, with Wilson's interval.
        theirs: The same of the second.
        n: Questions.
    """

    word: str
    difference: Interval
    p_value: float
    gained: int
    lost: int
    ours: Interval
    theirs: Interval
    n: int

    @property
    def is_weak(self) -> bool:
        """Whether the first model is below :data:`WEAK_SHARE` of the second."""
        return self.ours.value < WEAK_SHARE * self.theirs.value


@dataclass(frozen=True)
class Verdict(Comparison):
    """A comparison over all questions, and over those of each kind.

    Attributes:
        kinds: Kind to its comparison.
        weak: Kinds in which the first model is below :data:`WEAK_SHARE` of the second.
    """

    kinds: dict[str, Comparison] = field(default_factory=dict)
    weak: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """The same, for JSON."""
        return asdict(self)


def judge(ours: Sequence[bool], theirs: Sequence[bool], kinds: Sequence[str]) -> Verdict:
    """Compare two models on the same questions.

    Args:
        ours: Whether the first model answered each right.
        theirs: Whether the second did, in the same order.
        kinds: Each question's kind.

    Raises:
        ValueError: There is no question, or the three are not of one length.
    """
    if not len(ours) == len(theirs) == len(kinds):
        raise ValueError(f"{len(ours)} and {len(theirs)} answers to questions of {len(kinds)} kinds can't be paired")
    by_kind: dict[str, list[tuple[bool, bool]]] = {}
    for one, other, kind in zip(ours, theirs, kinds, strict=True):
        by_kind.setdefault(kind, []).append((one, other))
    compared = {kind: _compare(pairs) for kind, pairs in sorted(by_kind.items())}
    weak = [kind for kind, found in compared.items() if found.is_weak]
    whole = _compare(list(zip(ours, theirs, strict=True)))
    return Verdict(**whole.__dict__, kinds=compared, weak=weak)


def _compare(pairs: Sequence[tuple[bool, bool]]) -> Comparison:
    ours, theirs = [float(one) for one, _ in pairs], [float(other) for _, other in pairs]
    gained = sum(one and not other for one, other in pairs)
    lost = sum(other and not one for one, other in pairs)
    difference = bootstrap_difference(ours, theirs)
    return Comparison(
        word=_word(difference),
        difference=difference,
        p_value=mcnemar(gained, lost),
        gained=gained,
        lost=lost,
        ours=wilson(sum(ours), len(pairs)),
        theirs=wilson(sum(theirs), len(pairs)),
        n=len(pairs),
    )


def _word(difference: Interval) -> str:
    if difference.low > 0:
        return BEATS
    if difference.low > -_MARGIN:
        return HOLDS
    return LOSES if difference.high < 0 else INCONCLUSIVE
