"""What a form that answers must not lose, and what it is timed with: held-out questions, or torch's own answers.

Hands on forms as candidates, refused or not. Does not know how one is chosen.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from attar.runtime.bundle import Architecture, Bundle, Generation, Manifest
from attar.runtime.engine import Engine, Request
from attar.runtime.engine.session import open_decoder
from attar.runtime.limits import available_threads
from attar.runtime.parity import Parity, greedy
from attar.runtime.references import References

from ..config import ExportConfig
from ..evaluation.metrics import exact_match
from ..progress import track
from .automatic import size_of
from .choosing import Candidate, Work

__all__ = ["AnswerGate", "Trial", "question_work", "score_of"]

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


class AnswerGate:
    """See :class:`~attar.pipeline.export.automatic.Gate`.

    What counts is the score on the trial's questions, or agreement with torch where there are none.

    Args:
        contract: How graphs are driven.
        shape: The model's.
        config: The limits.
        references: Torch's answers.
        trial: The questions.
        stops: Tokens that end an answer.
    """

    def __init__(
        self,
        contract: str,
        shape: Architecture,
        config: ExportConfig,
        references: References,
        trial: Trial | None,
        stops: Collection[int],
    ) -> None:
        self._contract, self._shape, self._config = contract, shape, config
        self._trial, self._stops = trial, stops
        prompts = sorted(trial.prompts if trial else [answer.prompt for answer in references.answers], key=len)
        self._prompt = prompts[len(prompts) // 2]
        self._lengths = [len(answer.ids) for answer in references.answers]

    def exact(self, graph: Path) -> Candidate:
        found = Candidate("none", size_of(graph), 1.0)
        if self._trial is None:
            return found
        score, self._lengths = self._score(graph, "none")
        return replace(found, exact_match=score)

    def judged(self, form: str, graph: Path, parity: Parity, exact: Candidate) -> Candidate:
        found = Candidate(form, size_of(graph), parity.agreement)
        if self._trial:
            found = replace(found, exact_match=self._score(graph, form)[0])
        return replace(found, refused=_refusal(found, exact, self._config))

    def work(self, form: str, graph: Path) -> Work:
        return question_work(graph, self._contract, self._shape, form, self._prompt, self._answer_tokens)

    def described(self, found: Candidate) -> str:
        score = "" if found.exact_match is None else f", {found.exact_match:.1%} exact"
        return (
            f"{1000 * found.seconds:.1f} ms a question, {found.tokens_per_second:.0f} tokens/s of {_CONCURRENT} at "
            f"once, {found.agreement:.1%} as torch{score}"
        )

    def to_dict(self) -> dict[str, Any]:
        limits: dict[str, Any] = {"min_agreement": self._config.min_agreement}
        if self._trial:
            limits = {"max_score_loss": self._config.max_score_loss, "questions": len(self._trial.prompts)}
        return {"gate": limits, "prompt_tokens": len(self._prompt), "answer_tokens": self._answer_tokens}

    @property
    def _answer_tokens(self) -> int:
        return max(2, round(statistics.median(self._lengths)))

    def _score(self, graph: Path, form: str) -> tuple[float, list[int]]:
        assert self._trial is not None
        return score_of(graph, self._contract, self._shape, self._trial, self._stops, form)


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


def question_work(
    graph: Path, contract: str, shape: Architecture, form: str, prompt: Sequence[int], answer_tokens: int
) -> Work:
    """So many tokens of an answer to a prompt, alone and for eight at once, by a graph that no bundle holds yet."""
    manifest = Manifest(files={}, architecture=shape, quantization=form, graph=contract)
    engine = Engine(Bundle(graph.parent, manifest, Generation(stop_ids=())))
    request = Request(prompt, answer_tokens, drafting=False)
    return Work(
        alone=lambda: engine.generate_many([request]),
        together=lambda: engine.generate_many([request] * _CONCURRENT),
        tokens=_CONCURRENT * answer_tokens,
    )


def _refusal(candidate: Candidate, exact: Candidate, config: ExportConfig) -> str | None:
    """Why a form does not pass the gate; None where it does."""
    if candidate.exact_match is not None and exact.exact_match is not None:
        lost = exact.exact_match - candidate.exact_match
        if lost > config.max_score_loss + 1e-9:
            return f"exact match {candidate.exact_match:.1%}, {100 * lost:.1f} points below fp32"
        return None
    agreement = candidate.agreement or 0.0
    if not agreement >= config.min_agreement:
        return f"torch's most likely token at {agreement:.1%} of the answers' tokens only"
    return None
