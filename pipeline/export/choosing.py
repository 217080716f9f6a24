"""Which form of a graph to ship: each is timed on this machine, and the best of those that pass the gate is kept.

Hands on what was found of every form, and why it was not taken. Does not know what forms do, how graphs are made, or
bundles.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from attar.runtime.forms import listed

from ..progress import say, track

__all__ = ["Candidate", "Chosen", "Work", "best_of", "choose", "joined", "measure_speed"]

_ROUNDS = 9


@dataclass(frozen=True)
class Work:
    """What a loaded form is timed with.

    Attributes:
        alone: Does one piece of it.
        together: Does several at once.
        tokens: Tokens of these several.
    """

    alone: Callable[[], object]
    together: Callable[[], object]
    tokens: int


@dataclass(frozen=True)
class Candidate:
    """One form, as far as it is known.

    Attributes:
        form: Its name.
        size: Bytes of the graph and its weights.
        agreement: Share of the parity prompts' answer tokens whose most likely token is torch's; None of one that
            embeds texts.
        exact_match: Share of right answers to the trial's questions, where there is one.
        cosine: Mean cosine of its embeddings and torch's; None of one that answers.
        seconds: Median of one question or text, alone.
        tokens_per_second: Median of several together, over all of them.
        refused: Why it does not pass the gate; None where it does.
    """

    form: str
    size: int
    agreement: float | None
    exact_match: float | None = None
    cosine: float | None = None
    seconds: float = 0.0
    tokens_per_second: float = 0.0
    refused: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The same, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Chosen:
    """A form that is kept.

    Attributes:
        form: Its name.
        uses: What it is the best for.
        rejected: Form to why it is not the best for these.
    """

    form: str
    uses: tuple[str, ...]
    rejected: dict[str, str]


def measure_speed(candidates: Sequence[Candidate], work: Mapping[str, Work]) -> list[Candidate]:
    """Time forms in turn, round by round, each with the work under its name: one piece alone, and several together."""
    alone: dict[str, list[float]] = {form: [] for form in work}
    together: dict[str, list[float]] = {form: [] for form in work}
    with track("time forms", _ROUNDS * len(work)) as progress:
        for turn in range(_ROUNDS):
            for form in list(work)[:: 1 if turn % 2 else -1]:
                alone[form].append(_seconds(work[form].alone))
                together[form].append(_seconds(work[form].together))
                progress(1)
    return [  # the first round warms up
        replace(
            each,
            seconds=statistics.median(alone[each.form][1:]),
            tokens_per_second=work[each.form].tokens / statistics.median(together[each.form][1:]),
        )
        for each in candidates
    ]


def choose(candidates: Sequence[Candidate], uses: Sequence[str]) -> list[Chosen]:
    """The best form for each use, in the uses' order; one that is the best for several comes once."""
    chosen: dict[str, Chosen] = {}
    told: set[str] = set()
    for use in uses:
        best, why = best_of(candidates, use)
        say(f"export: chose {best.form} for {use}")
        reasons = [f"export: not {form}: {reason}" for form, reason in why.items()]
        for reason in [reason for reason in reasons if reason not in told]:  # a refusal is one for every use
            say(reason)
        told.update(reasons)
        known = chosen.get(best.form, Chosen(best.form, (), {}))
        rejected = {form: joined([known.rejected.get(form), reason]) for form, reason in why.items()}
        chosen[best.form] = Chosen(best.form, (*known.uses, use), rejected)
    for each in chosen.values():
        if len(each.uses) > 1:
            say(f"export: {each.form} is the best for {listed(each.uses)}, so it is kept once")
    return list(chosen.values())


def joined(reasons: Iterable[str | None]) -> str:
    """Reasons as one, each of them once."""
    return "; ".join(dict.fromkeys(filter(None, reasons)))


def best_of(candidates: Sequence[Candidate], wanted: str) -> tuple[Candidate, dict[str, str]]:
    """The best form that passes the gate, and why each of the others was not taken.

    Args:
        candidates: All that were tried; at least one passes.
        wanted: "latency", "throughput" or "size".
    """
    figures: dict[str, Callable[[Candidate], float]] = {
        "latency": lambda each: 1 / each.seconds,
        "throughput": lambda each: each.tokens_per_second,
        "size": lambda each: 1 / each.size,
    }
    figure, words = figures[wanted], {"latency": "fast", "throughput": "much at once", "size": "small"}[wanted]
    best = max((each for each in candidates if each.refused is None), key=figure)
    why = {
        each.form: each.refused or f"{figure(each) / figure(best):.2f} times as {words} as {best.form} here"
        for each in candidates
        if each is not best
    }
    return best, why


def _seconds(do: Callable[[], object]) -> float:
    started = time.perf_counter()
    do()
    return time.perf_counter() - started
