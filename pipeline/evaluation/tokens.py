"""What models make of the tokens of right answers, each read after the right ones before it (teacher forcing).

Hands on each model's loss and calibration, and how far students are from their teacher. Questions on one record share
its tokens, as in training. Does not decode: what a model would say by itself is in ``answers``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial

import torch
from torch import Tensor

from ..data.render import render
from ..data.samples import Sample
from ..losses.forward_kl import forward_kl
from ..progress import Progress, track
from ..student import teacher_tokens
from ..teacher import LoadedModel
from ..training.batches import collate, pack_all
from ..training.forward import answer_states, head_logits, run_body
from ..training.precision import autocast

__all__ = ["BINS", "TokenScores", "score_tokens"]

BINS = 15
"""Bins of equal width, over a token's probability, that the calibration error is taken over."""
_QUESTIONS_PER_SEQUENCE = 8
_SEQUENCES_PER_BATCH = 8
_CHUNK = 128
"""Tokens whose logits exist at a time: 25 MB for each copy of those of 49,152 tokens."""


@dataclass(frozen=True)
class TokenScores:
    """What a model makes of the tokens of right answers, those that end them included.

    Attributes:
        loss: Negative log-likelihood, in nats a token.
        answer_loss: The same in nats an answer, which models of other tokens can be compared by.
        calibration_error: How far the probability of the most likely token is from the share of tokens in which it is
            the right one: the expected calibration error (Guo et al., arXiv 1706.04599, section 2) over :data:`BINS`.
        tokens: How many.
        agreement: Share of tokens in which the most likely one is the teacher's, of all that the teacher has; None
            for the teacher itself, as are the next two.
        divergence: KL divergence from the teacher's distribution to the student's over the tokens that both have, the
            teacher's made whole again, in nats a token.
        unknown: Probability that the teacher gives to tokens that the student has not, the mean.
    """

    loss: float
    answer_loss: float
    calibration_error: float
    tokens: int
    agreement: float | None = None
    divergence: float | None = None
    unknown: float | None = None

    def to_dict(self) -> dict[str, float | None]:
        """The same, for JSON."""
        return asdict(self)


def score_tokens(
    teacher: LoadedModel,
    students: Mapping[str, LoadedModel],
    samples: Sequence[Sample],
    *,
    precision: str = "float32",
    title: str = "score tokens",
) -> tuple[TokenScores, dict[str, TokenScores]]:
    """The teacher's scores, and each student's; the teacher's are taken over its own tokens.

    Args:
        teacher: In fp32, as the students.
        students: By name; all of the same tokens, which are the teacher's or some of them.
        samples: Questions with their right answers.
        precision: What the bodies compute in; the heads, and all that follows, in fp32.
        title: What the progress is called.

    Raises:
        TokenizerMismatch: The teacher reads text differently.
        ValueError: The students are not of the same tokens, or there is no sample.
    """
    if not samples:
        raise ValueError("at least one sample is needed")
    tokens = _shared_tokens(teacher, students)
    trimmed = tokens is not None
    of_teacher, of_students = _Tally(), {name: _Tally() for name in students}
    with torch.inference_mode(), track(title, len(samples) * (1 + trimmed)) as progress:
        read = partial(_read, samples=samples, precision=precision, progress=progress)
        for labels, (theirs, *all_ours) in read([(teacher, tokens), *((each, None) for each in students.values())]):
            if not trimmed:
                of_teacher.add(theirs, labels)
            for tally, ours in zip(of_students.values(), all_ours, strict=True):
                tally.add(ours, labels)
                tally.compare(ours, theirs, tokens)
        for labels, (theirs,) in read([(teacher, None)]) if trimmed else ():
            of_teacher.add(theirs, labels)
    return of_teacher.scores(len(samples)), {name: tally.scores(len(samples)) for name, tally in of_students.items()}


def _shared_tokens(teacher: LoadedModel, students: Mapping[str, LoadedModel]) -> Tensor | None:
    """``[V]`` the teacher's id of each of the students' tokens; None where they are the same."""
    known = [teacher_tokens(teacher.tokenizer, student.tokenizer) for student in students.values()]
    if any(each != known[0] for each in known):
        raise ValueError("students of other tokens can't be read together")
    return torch.tensor(known[0]) if known and known[0] is not None else None


def _read(
    models: Sequence[tuple[LoadedModel, Tensor | None]],
    *,
    samples: Sequence[Sample],
    precision: str,
    progress: Progress,
) -> Iterator[tuple[Tensor, list[Tensor]]]:
    """Labels ``[n]``, and log-probabilities ``[n, V]`` of each model at their positions, a chunk at a time.

    The text is in the last model's tokens; beside each model stand its own ids of these, where they are others.
    """
    packed = pack_all(render(samples, models[-1][0].tokenizer), _QUESTIONS_PER_SEQUENCE)
    packed.sort(key=lambda sequence: len(sequence.ids))
    for first in range(0, len(packed), _SEQUENCES_PER_BATCH):
        chunk = packed[first : first + _SEQUENCES_PER_BATCH]
        batch = collate(chunk)
        states = []
        for loaded, ids in models:
            own = batch if ids is None else replace(batch, input_ids=ids[batch.input_ids])
            with autocast(precision):
                states.append(answer_states(run_body(loaded.model, own).last_hidden_state, own).float())
        for start in range(0, len(batch.labels), _CHUNK):
            place = slice(start, start + _CHUNK)
            yield (
                batch.labels[place],
                [_logs(loaded, each[place]) for (loaded, _), each in zip(models, states, strict=True)],
            )
        progress(sum(len(sequence.samples) for sequence in chunk))


def _logs(loaded: LoadedModel, states: Tensor) -> Tensor:
    """Log-probabilities of a model's tokens; logits beyond them are padding."""
    return head_logits(loaded.model, states)[:, : loaded.tokenizer.vocabulary_size].log_softmax(-1)


class _Tally:
    """Sums over tokens."""

    def __init__(self) -> None:
        self._loss = self._divergence = self._unknown = 0.0
        self._tokens = self._agreed = 0
        self._compared = False
        self._gaps = torch.zeros(BINS, dtype=torch.float64)  # of each bin: probabilities less right tokens

    def add(self, ours: Tensor, labels: Tensor) -> None:
        """A chunk of a model's log-probabilities ``[n, V]`` and the right tokens ``[n]``."""
        self._loss -= ours.gather(1, labels[:, None]).double().sum().item()
        self._tokens += len(labels)
        highest, likely = ours.max(-1)
        sure = highest.double().exp()
        bins = (sure * BINS).ceil().long().clamp(1, BINS) - 1
        self._gaps.index_add_(0, bins, sure - (likely == labels).double())

    def compare(self, ours: Tensor, theirs: Tensor, tokens: Tensor | None) -> None:
        """A student's log-probabilities ``[n, V]`` beside the teacher's ``[n, W]``, whose ids ``tokens`` are the V."""
        self._compared = True
        likely, known = ours.argmax(-1), theirs
        if tokens is not None:
            likely, known = tokens[likely], theirs[:, tokens]
        mass = known.logsumexp(-1, keepdim=True)
        self._agreed += int((likely == theirs.argmax(-1)).sum())
        self._divergence += forward_kl(ours, known - mass).double().sum().item()
        self._unknown += (1 - mass.double().exp()).clamp(min=0).sum().item()

    def scores(self, answers: int) -> TokenScores:
        """The means."""
        count = self._tokens
        mine = (self._loss / count, self._loss / answers, self._gaps.abs().sum().item() / count, count)
        if not self._compared:
            return TokenScores(*mine)
        divergence = max(0.0, self._divergence)  # of equal models it is 0 but for rounding
        return TokenScores(*mine, self._agreed / count, divergence / count, self._unknown / count)
