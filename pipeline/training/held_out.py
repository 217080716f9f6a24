"""Samples that training is watched by: a few groups of the training split that nothing is trained on.

Never of the test split, so weights that are chosen by them can be judged by that. Hands on the
:class:`~attar.pipeline.training.state.Watch` of a teacher's correction and of a student's training. Does not know
optimizers or losses.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch.nn import functional
from transformers import PreTrainedModel

from ..data.render import render
from ..data.samples import Sample
from ..evaluation import greedy_answers, score
from ..teacher import LoadedModel
from .batches import Batch
from .compiled import plain_layers
from .forward import answer_logits, run_body
from .precision import computing_in
from .state import Watch

__all__ = ["answer_watch", "cross_entropy", "loss_watch", "set_aside"]

_MOST_GROUPS = 32
_MOST_SAMPLES = 64
"""Half of the 128 that a corrected teacher answered in 5.3 CPU seconds (benchmarks/LOG.md)."""
_FEWEST_SAMPLES = 16
"""With fewer, one answer more or less decides, so that none are set aside."""
_MOST_RIGHT = 0.9
"""As if no more were right: where all are, they would deviate by nothing, and one more right answer decide."""
_LOSS_TOLERANCE = 0.3
"""A standard error of 64 answers' mean loss is 0.6 of it (benchmarks/LOG.md), and half of that is taken, as the same
answers are compared."""


def set_aside(samples: Sequence[Sample], share: float, seed: int) -> tuple[list[Sample], list[Sample]]:
    """Training samples as two lists: what is trained on, and what training is watched by.

    Groups are the rows that samples are about, so none of those is on both sides. A sample that shows no record has to
    be known by heart or stands for itself, and is a group of its own.

    Args:
        samples: The training split.
        share: Of the groups, rounded; at most 32, and of their samples at most 64. Where those are fewer than 16,
            nothing is set aside.
        seed: Seed of the choice, which does not depend on the order.
    """
    groups = sorted({_group(sample) for sample in samples})
    count = min(round(share * len(groups)), _MOST_GROUPS)
    chosen = set(random.Random(seed).sample(groups, count))
    apart = [sample for sample in samples if _group(sample) in chosen]
    if len(apart) < _FEWEST_SAMPLES:
        return list(samples), []
    watched = sorted(apart, key=lambda sample: sample.id)[:_MOST_SAMPLES]  # ids are hashes: any are as good
    return [sample for sample in samples if _group(sample) not in chosen], watched


def loss_watch(
    model: PreTrainedModel, batches: Sequence[Batch], every: int, patience: int, precision: str
) -> Watch | None:
    """Watch by the cross-entropy of the batches' answers, in nats a token; None where there are none, or never.

    Of losses that differ by chance the latest is kept: an earlier one's weights were still changing fast.
    """
    tokens = sum(len(batch.labels) for batch in batches)

    def take() -> float:
        with _evaluating(model), torch.no_grad(), computing_in(model, precision):
            return cross_entropy(model, batches) / tokens

    if not every or not batches:
        return None

    def share(best: float) -> float:
        return _LOSS_TOLERANCE * best

    return Watch("held-out loss", every, take, lower_is_better=True, margin=share, patience=patience)


def answer_watch(student: LoadedModel, watched: Sequence[Sample], every: int, precision: str) -> Watch | None:
    """Watch by the exact match of greedy answers, as a share; None where there is nothing to answer, or never.

    An answer may be as long as the longest of the right ones: a longer one is wrong anyway. Weights within one
    standard error of the best are as good (Breiman et al., "Classification and Regression Trees", 1984, section 3.4.3).

    Raises:
        DataError: A sample is longer than the student can read.
    """
    if not every or not watched:
        return None
    expected = [sample.answer for sample in watched]
    longest = max(len(sample.answer) for sample in render(watched, student.tokenizer, most=student.most_tokens))

    def take() -> float:
        with _evaluating(student.model):
            answers = greedy_answers(student, watched, max_new_tokens=longest, precision=precision, title=None)
        return score(answers, expected).exact_match

    def standard_error(best: float) -> float:
        right = min(best, _MOST_RIGHT)
        return math.sqrt(right * (1 - right) / len(watched))

    return Watch("exact match", every, take, margin=standard_error)


def cross_entropy(model: PreTrainedModel, batches: Sequence[Batch]) -> float:
    """Of the batches' answers, in nats, all tokens together."""
    total = 0.0
    for batch in batches:
        logits = answer_logits(model, run_body(model, batch).last_hidden_state, batch)
        total += functional.cross_entropy(logits, batch.labels, reduction="sum").item()
    return total


def _group(sample: Sample) -> tuple[str, ...]:
    return (sample.source, sample.table, str(sample.rows)) if sample.record else (sample.id,)


@contextmanager
def _evaluating(model: PreTrainedModel) -> Iterator[None]:
    """In the block nothing is dropped out and no layer is compiled."""
    training = model.training
    model.eval()
    try:
        with plain_layers(model):
            yield
    finally:
        model.train(training)
