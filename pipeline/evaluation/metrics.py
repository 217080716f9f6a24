"""Exact match and value match. Pure functions on text; do not know models, or how unlike two models score."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..data.questions.tool_call import read_call

__all__ = ["Scores", "exact_match", "normalize", "score", "value_match"]


@dataclass(frozen=True)
class Scores:
    """Shares of ``n`` answers, 0 to 1."""

    exact_match: float
    value_match: float
    n: int

    def to_dict(self) -> dict[str, float]:
        """The same, for JSON."""
        return asdict(self)


def normalize(text: str) -> str:
    """NFKC, case folded, spaces collapsed, no final period."""
    folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return folded.removesuffix(".").rstrip()


def exact_match(answer: str, expected: str) -> bool:
    """Whether two answers are equal after :func:`normalize`; calls of tools, in name and arguments."""
    call = read_call(expected)
    if call is not None:
        called = read_call(answer.strip())
        return called is not None and _canonical(called) == _canonical(call)
    return normalize(answer) == normalize(expected)


def value_match(answer: str, expected: str) -> bool:
    """Whether the expected value stands in the answer, after :func:`normalize`."""
    return normalize(expected) in normalize(answer)


def _canonical(call: dict[str, Any]) -> str:
    """A call as text, so that 1, 1.0 and true differ, and the order of arguments does not count."""
    return json.dumps(call, sort_keys=True)


def score(answers: Sequence[str], expected: Sequence[str]) -> Scores:
    """Scores of answers against what was expected, item by item."""
    pairs = list(zip(answers, expected, strict=True))
    total = max(len(pairs), 1)
    return Scores(
        exact_match=sum(exact_match(*pair) for pair in pairs) / total,
        value_match=sum(value_match(*pair) for pair in pairs) / total,
        n=len(pairs),
    )
