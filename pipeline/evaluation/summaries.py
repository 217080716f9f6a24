"""Summaries, scored by facts: the share of the expected ones that are kept, and of those told that are invented.

A fact is one clause of the sentences that the kinds "summary" and "multi_summary" write. Does not know records: what
is told is held against the expected answer, which a checker has recomputed from the rows.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from .metrics import normalize

__all__ = ["SUMMARY_KINDS", "FactScores", "facts_in", "score_facts"]

SUMMARY_KINDS = frozenset({"summary", "multi_summary"})

_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9]|its )")
_SUBJECT = re.compile(r"^(the .+? has) (?=the )|^(its) ", re.IGNORECASE)
_CLAUSE = re.compile(r"; |, (?=the |[^,]+? is )| and (?=the |[^,]+? is )", re.IGNORECASE)


@dataclass(frozen=True)
class FactScores:
    """Facts over all summaries.

    Attributes:
        kept: Share of the expected facts that are told.
        invented: Share of the facts told that are not expected.
        n: Summaries.
    """

    kept: float
    invented: float
    n: int

    def to_dict(self) -> dict[str, float]:
        """The same, for JSON."""
        return asdict(self)


def facts_in(summary: str) -> Counter[str]:
    """The clauses of a summary, normalized, each as often as it is told; the subject counts as one of them."""
    facts: Counter[str] = Counter()
    for sentence in _SENTENCE.split(summary.strip()):
        subject = _SUBJECT.match(sentence)
        if subject:
            facts.update([_clause(subject[1])] if subject[1] else [])
            sentence = sentence[subject.end() :]
        facts.update(clause for part in _CLAUSE.split(sentence) if (clause := _clause(part)))
    return facts


def score_facts(answers: Sequence[str], expected: Sequence[str]) -> FactScores:
    """Facts kept and invented in summaries, summed over all of them; nothing told is nothing invented."""
    pairs = [(facts_in(answer), facts_in(wanted)) for answer, wanted in zip(answers, expected, strict=True)]
    told = sum(answer.total() for answer, _ in pairs)
    wanted = sum(one.total() for _, one in pairs)
    kept = sum((answer & one).total() for answer, one in pairs)
    return FactScores(kept / max(wanted, 1), (told - kept) / max(told, 1), len(pairs))


def _clause(text: str) -> str:
    """A clause without its article: "the population 5" and "population is 5" are the same fact in other words."""
    return normalize(text).removeprefix("the ")
