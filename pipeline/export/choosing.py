"""Which form of a graph to ship: each is timed on this machine, and the best of those that pass the gate is kept.

Hands on what was found of every form, and why it was not taken. Does not know how graphs are made, or bundles.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from attar.runtime.bundle import Architecture, Bundle, Generation, Manifest
from attar.runtime.engine import Engine, Request
from attar.runtime.engine.session import open_decoder
from attar.runtime.forms import listed
from attar.runtime.limits import available_threads
from attar.runtime.parity import greedy

from ..evaluation.metrics import exact_match
from ..progress import say, track

__all__ = ["Candidate", "Chosen", "Trial", "Work", "best_of", "choose", "joined", "measure_speed", "score_of"]

_ROUNDS = 9
_CONCURRENT = 8


@dataclass(frozen=True)
class Trial:
    """Held-out questions that forms are scored with.

    Attributes:
        prompts: Token ids of each.
        expected: The right answers.
        decode: Token ids to text.
        max_new_tokens: Limit of an answer.
    """

    prompts: Sequence[Sequence[int]]
    expected: Sequence[str]
    decode: Callable[[Sequence[int]], str]
    max_new_tokens: int


@dataclass(frozen=True)
class Work:
    """What is timed: a prompt, and so many tokens of an answer."""

    prompt: Sequence[int]
    answer_tokens: int


@dataclass(frozen=True)
class Candidate:
    """One form, as far as it is known.

    Attributes:
        form: Its name.
        size: Bytes of the graph and its weights.
        agreement: Share of the parity prompts' answer tokens whose most likely token is torch's.
        exact_match: Share of right answers to the trial's questions, where there is one.
        seconds: Median of one question, alone.
        tokens_per_second: Median of eight questions decoded together, over all of them.
        refused: Why it does not pass the gate; None where it does.
    """

    form: str
    size: int
    agreement: float
    exact_match: float | None = None
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


def score_of(
    graph: Path, contract: str, shape: Architecture, trial: Trial, stops: Collection[int], name: str
) -> tuple[float, list[int]]:
    """Exact match of a graph's greedy answers, and how many tokens each has, its end included."""
    decoder = open_decoder(graph, shape, contract, threads=available_threads())
    right, lengths = 0, []
    with track(f"score {name}", len(trial.prompts)) as progress:
        for prompt, expected in zip(trial.prompts, trial.expected, strict=True):
            limit = min(trial.max_new_tokens, shape.context_length - len(prompt))
            answer = greedy(decoder, prompt, limit, stops)
            right += exact_match(trial.decode(answer), expected)
            lengths.append(len(answer) + 1)
            progress(1)
    return right / len(trial.prompts), lengths


def measure_speed(
    candidates: Sequence[Candidate], graphs: Mapping[str, Path], contract: str, shape: Architecture, work: Work
) -> list[Candidate]:
    """Time forms in turn, round by round, each with an engine of its own: one question alone, and eight together."""
    engines = {each.form: _engine(graphs[each.form], contract, shape, each.form) for each in candidates}
    alone: dict[str, list[float]] = {form: [] for form in engines}
    together: dict[str, list[float]] = {form: [] for form in engines}
    with track("time forms", _ROUNDS * len(engines)) as progress:
        for turn in range(_ROUNDS):
            for form in engines if turn % 2 else reversed(engines):
                alone[form].append(_seconds(engines[form], work, 1))
                together[form].append(_seconds(engines[form], work, _CONCURRENT))
                progress(1)
    tokens = _CONCURRENT * work.answer_tokens
    return [  # the first round warms up
        replace(
            each,
            seconds=statistics.median(alone[each.form][1:]),
            tokens_per_second=tokens / statistics.median(together[each.form][1:]),
        )
        for each in candidates
    ]


def choose(candidates: Sequence[Candidate], uses: Sequence[str]) -> list[Chosen]:
    """The best form for each use, in the uses' order; one that is the best for several comes once."""
    chosen: dict[str, Chosen] = {}
    for use in uses:
        best, why = best_of(candidates, use)
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
    say(f"export: chose {best.form} for {wanted}")
    for form, reason in why.items():
        say(f"export: not {form}: {reason}")
    return best, why


def _engine(graph: Path, contract: str, shape: Architecture, form: str) -> Engine:
    """The engine on a graph that no bundle holds yet."""
    manifest = Manifest(files={}, architecture=shape, quantization=form, graph=contract)
    return Engine(Bundle(graph.parent, manifest, Generation(stop_ids=())))


def _seconds(engine: Engine, work: Work, questions: int) -> float:
    request = Request(work.prompt, work.answer_tokens)
    started = time.perf_counter()
    engine.generate_many([request] * questions)
    return time.perf_counter() - started
