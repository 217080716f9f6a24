"""Training questions in other words: a model rewrites them, and what may have changed their meaning is refused.

The values of a question are those that its form was filled with; they, and every number, quoted text and word that
turns the meaning, have to survive. Answer, lineage and the question as its form gives it stay in the sample, so it
is verified like any other. Does not know which model rewrites: any function from texts to texts does, or any
LangChain chat model.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

from attar.runtime.errors import ModelError, UsageError

from .questions import KINDS
from .samples import Sample, sample_id

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

__all__ = ["Paraphrased", "Writer", "chat_writer", "paraphrase", "paraphrase_fault", "request"]

Writer = Callable[[Sequence[str]], Sequence[str]]
"""Answers requests, one text for each, in order."""

KEPT = "kept"
_REQUEST = (
    "Rewrite this question in other words. Keep every name, number and quoted text exactly as it is, and ask for the "
    "same. Write the question alone.\n\n"
)
_SHORTEST, _LONGEST, _SLACK = 0.5, 2.0, 20
"""How long a paraphrase may be: shares of the question's length, and characters beyond."""
_TURNING = frozenset((
    "above", "after", "ascending", "at", "before", "below", "descending", "different", "earlier", "earliest",
    "except", "fewer", "fewest", "first", "greater", "greatest", "high", "higher", "highest", "larger",
    "largest", "last", "later", "latest", "least", "less", "low", "lower", "lowest", "many", "maximum",
    "minimum", "more", "most", "neither", "newer", "newest", "no", "none", "nor", "not", "older", "oldest",
    "only", "or", "other", "over", "same", "second", "smaller", "smallest", "than", "third", "under", "unlike",
    "without",
))  # fmt: skip
"""Words that may turn what a question asks for; none may come or go. Contractions of "not" end in "n't"."""
_NUMBER = re.compile(r"\d+(?:[.,:/-]\d+)*")
_QUOTED = re.compile(r'"([^"]+)"|“([^”]+)”|«([^»]+)»|„([^“]+)“')
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_ALWAYS_CAPITAL = ("I", "I'd", "I'm", "I've", "I'll")


@dataclass
class Paraphrased:
    """What came of it.

    Attributes:
        samples: All samples in order, some of them in other words.
        counts: How many questions were rewritten and kept, or refused, by reason.
    """

    samples: list[Sample] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


def paraphrase(
    samples: Iterable[Sample],
    writer: Writer | BaseChatModel,
    *,
    name: str,
    share: float = 0.5,
    seed: int = 0,
    too_long: Callable[[Sample], bool] | None = None,
) -> Paraphrased:
    """Rewrite a share of the training questions; what is refused stays as it was.

    Args:
        samples: All samples; those of the test split, and those whose question is not made from a form, stay.
        writer: What rewrites.
        name: Its name, for the lineage.
        share: Which fraction of the questions is tried.
        seed: Seed of the choice.
        too_long: Whether a sample has more tokens than it may have; by default none has.

    Raises:
        UsageError: There is no name, or the share is not one.
        ModelError: The model fails, or does not give one text for each question.
    """
    if not name or not 0 <= share <= 1:
        raise UsageError("A paraphrase needs the model's name and a share from 0 to 1.", next_step="Give both.")
    found, rng = Paraphrased(list(samples)), random.Random(f"{seed}:paraphrase")
    places = [place for place, sample in enumerate(found.samples) if _can_be(sample) and rng.random() < share]
    write = writer if callable(writer) and not hasattr(writer, "batch") else chat_writer(writer)  # type: ignore[arg-type]
    texts = write([request(found.samples[place].question) for place in places])
    if len(texts) != len(places):
        raise ModelError(f"{len(places)} questions were to be rewritten, and {len(texts)} texts came.", where=name)
    ids = {sample.id for sample in found.samples}
    for place, text in zip(places, texts, strict=True):
        sample = _reworded(found.samples[place], text.strip(), name)
        fault = paraphrase_fault(sample) or ("there already" if sample.id in ids else None)
        fault = fault or ("more than max_tokens" if too_long and too_long(sample) else None)
        found.counts[fault or KEPT] += 1
        if fault is None:
            ids.add(sample.id)
            found.samples[place] = sample
    return found


def request(question: str) -> str:
    """What the model is asked."""
    return _REQUEST + question


def chat_writer(model: BaseChatModel, *, at_once: int = 4) -> Writer:
    """A LangChain chat model as a writer.

    Args:
        model: Any.
        at_once: How many requests it gets at the same time.
    """

    def write(requests: Sequence[str]) -> list[str]:
        try:
            return [message.text for message in model.batch(list(requests), {"max_concurrency": at_once})]
        except Exception as error:  # of as many kinds as there are chat models
            raise ModelError(
                "The chat model that was to rewrite questions failed.",
                why=error,
                next_step="Try it by its own invoke; its key, address and limits are its own settings.",
            ) from error

    return write


def paraphrase_fault(sample: Sample) -> str | None:
    """Why a sample's question can't stand for its original; None where it can."""
    text, original = sample.question, sample.original
    checks = {
        "not another question": not text or _plain(text) == _plain(original),
        "not one line": len(text.splitlines()) != 1,
        "too short or too long": not _SHORTEST * len(original) <= len(text) <= _LONGEST * len(original) + _SLACK,
        "a value is lost": not _keeps_values(sample),
        "another number": sorted(_NUMBER.findall(text)) != sorted(_NUMBER.findall(original)),
        "another quoted text": _QUOTED.findall(text) != _QUOTED.findall(original),
        "another turn of meaning": _turning(text) != _turning(original),
        "a name that was not there": not _capitals(text) <= set(_WORD.findall(original)),
        "gives the answer away": _tells(text, sample.answer) and not _tells(original, sample.answer),
        "a form of the test split": any(form.fullmatch(text) for form in _patterns(sample.kind, "test")),
    }
    return next((reason for reason, fails in checks.items() if fails), None)


def _can_be(sample: Sample) -> bool:
    """Whether a sample's question is made from a form, and asks for nothing but an answer."""
    plain = not (sample.tools or sample.turns or sample.paraphrased)
    return sample.split == "train" and sample.role == "qa" and plain and sample.kind in KINDS and bool(sample.question)


def _reworded(sample: Sample, text: str, name: str) -> Sample:
    said = sample_id(sample.record, text, sample.answer, sample.split, sample.role, sample.tools, sample.turns)
    return replace(sample, id=said, question=text, original=sample.question, paraphrased=name)


def _keeps_values(sample: Sample) -> bool:
    """Whether all that the form was filled with still stands there, as often as it did; labels in any case."""
    number = int(sample.form.rsplit(".", 1)[1])
    match = _patterns(sample.kind, sample.split)[number].fullmatch(sample.original)
    if match is None:
        return False
    for slot, value in match.groupdict().items():
        text, original = sample.question, sample.original
        if slot in ("column", "label", "condition") or original.startswith(value):
            value, text, original = value.casefold(), text.casefold(), original.casefold()
        if len(_whole(value).findall(text)) < len(_whole(value).findall(original)):
            return False
    return True


@cache
def _patterns(kind: str, split: str) -> list[re.Pattern[str]]:
    """The forms of a kind, each slot a group of its name; the first letter may be a capital."""
    return [_pattern(form) for form in KINDS[kind].forms[split]]


def _pattern(form: str) -> re.Pattern[str]:
    seen: set[str] = set()
    pieces = []
    for piece in re.split(r"(\{\w+\})", form):
        slot = piece[1:-1]
        if not piece.startswith("{"):
            pieces.append(re.escape(piece))
        elif slot in seen:
            pieces.append(f"(?i:(?P={slot}))")
        else:
            seen.add(slot)
            pieces.append(f"(?P<{slot}>.+?)")
    return re.compile("".join(pieces), re.DOTALL)


def _whole(value: str) -> re.Pattern[str]:
    """A value that is not a part of a longer word or number."""
    return re.compile(rf"(?<!\w){re.escape(value)}(?!\w)")


def _turning(text: str) -> Counter[str]:
    words = [word.casefold().replace("’", "'") for word in _WORD.findall(text)]
    return Counter(word for word in words if word in _TURNING or word.endswith("n't"))


def _capitals(text: str) -> set[str]:
    """Words with a capital that do not begin a sentence."""
    places = [(match.start(), match.group()) for match in _WORD.finditer(text)]
    inner = [(start, word) for start, word in places if start and text[:start].rstrip()[-1:] not in ".!?:;-–—"]
    return {word for _, word in inner if word[0].isupper() and word.replace("’", "'") not in _ALWAYS_CAPITAL}


def _tells(text: str, answer: str) -> bool:
    return bool(_whole(answer.casefold()).search(text.casefold()))


def _plain(text: str) -> str:
    return " ".join(_WORD.findall(text)).casefold()
