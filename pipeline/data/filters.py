"""Filters over finished samples: what is dropped, in which order, and how many for each reason.

Takes samples one by one and keeps only hashes of them. Does not know how they were made, nor how tokens are counted.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping

from .samples import Sample

__all__ = ["Filters", "gives_away"]

_TOO_LONG = "it has more than max_tokens with its answer"
_AT_LEAST = 20
"""Samples of a kind and split before a cap is asked: a share of a few says nothing."""


class Filters:
    """The filters of one pass over all samples.

    Attributes:
        dropped: Reason to how many samples were dropped for it.
        gave_away: How many samples that were kept have their answer in their question.

    Args:
        caps: "answer" or "column" to the largest share of a kind's samples, in one split, that may have the same.
        too_long: Whether a sample has more tokens than it may have.
    """

    def __init__(
        self, caps: Mapping[str, float] | None = None, too_long: Callable[[Sample], bool] | None = None
    ) -> None:
        self.dropped: Counter[str] = Counter()
        self.gave_away = 0
        self._caps = dict(caps or {})
        self._too_long = too_long
        self._ids: set[str] = set()
        self._answers: dict[bytes, bytes] = {}
        self._counts: Counter[tuple[str, ...]] = Counter()

    def keep(self, sample: Sample) -> bool:
        """Whether a sample passes all filters; counts it where it does not."""
        gives = gives_away(sample)
        reason = self._reason(sample, gives)
        if reason is not None:
            self.dropped[reason] += 1
            return False
        self.gave_away += gives
        self._ids.add(sample.id)
        self._answers[_prompt_hash(sample)] = _hash(sample.answer)
        self._counts.update(self._counted(sample))
        return True

    def fits(self, sample: Sample) -> bool:
        """Whether a sample is short enough, which is all that is asked of one that others filtered; counts it too."""
        if self._too_long and self._too_long(sample):
            self.dropped[_TOO_LONG] += 1
            return False
        return True

    def _reason(self, sample: Sample, gives: bool) -> str | None:
        if gives and sample.mode == "closed_book":
            return "its answer stands in its question"
        if self._answers.get(_prompt_hash(sample), _hash(sample.answer)) != _hash(sample.answer):
            return "the same prompt has another answer"
        if self._too_long and self._too_long(sample):
            return _TOO_LONG
        if sample.id in self._ids:
            return "it repeats another sample"
        return self._cap(sample)

    def _cap(self, sample: Sample) -> str | None:
        total, *counted = self._counted(sample)
        most = self._counts[total]
        for key in counted:
            if most >= _AT_LEAST and self._counts[key] + 1 > self._caps[key[0]] * (most + 1):
                return f"too many samples of its kind have its {key[0]}"
        return None

    def _counted(self, sample: Sample) -> list[tuple[str, ...]]:
        """What a sample is counted under: its kind and split, then for each cap what it must not have too often."""
        values = {"answer": sample.answer, "column": " ".join((sample.table, *sample.columns))}
        kind = (sample.kind, sample.split)
        return [("all", *kind), *((name, *kind, values[name]) for name in self._caps)]


def gives_away(sample: Sample) -> bool:
    """Whether a lookup's answer stands in its question, where copying the question would do.

    Of other kinds that is their nature: a comparison names both, a call copies its arguments.
    """
    return sample.kind == "lookup" and f" {_words(sample.answer)} " in f" {_words(sample.question)} "


def _prompt_hash(sample: Sample) -> bytes:
    """What is said before the answer, whatever its case and spacing."""
    messages = [{**message, "content": _folded(message["content"])} for message in sample.messages]
    return _hash(json.dumps([messages, sample.tools], ensure_ascii=False, sort_keys=True))


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:12]


def _words(text: str) -> str:
    return " ".join("".join(character if character.isalnum() else " " for character in text.casefold()).split())


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
