"""Samples that training is watched by: a few groups of the training split that nothing is trained on.

Never of the test split, so weights that are chosen by them can be judged by that. Hands on what a
:class:`~attar.pipeline.training.state.Watch` takes as its score. Does not know optimizers or losses.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
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

__all__ = ["cross_entropy", "exact_match_of", "held_out_loss", "set_aside"]

_MOST_GROUPS = 32
_MOST_SAMPLES = 64
"""Answering these takes about as long as two steps of the distillation (benchmarks/LOG.md)."""
_FEWEST_SAMPLES = 16
"""With fewer, one answer more or less decides, so that none are set aside."""


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


def held_out_loss(model: PreTrainedModel, batches: Sequence[Batch], precision: str) -> Callable[[], float]:
    """What takes the cross-entropy of the batches' answers, in nats a token."""
    tokens = sum(len(batch.labels) for batch in batches)

    def take() -> float:
        with _evaluating(model), torch.no_grad(), computing_in(model, precision):
            return cross_entropy(model, batches) / tokens

    return take


def exact_match_of(student: LoadedModel, watched: Sequence[Sample], precision: str) -> Callable[[], float]:
    """What takes the exact match of the student's greedy answers, as a share.

    An answer may be as long as the longest of the right ones: a longer one is wrong anyway.
    """
    expected = [sample.answer for sample in watched]
    longest = max(len(sample.answer) for sample in render(watched, student.tokenizer))

    def take() -> float:
        with _evaluating(student.model):
            answers = greedy_answers(student, watched, max_new_tokens=longest, precision=precision, title=None)
        return score(answers, expected).exact_match

    return take


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
