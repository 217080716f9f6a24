"""Batches in which the questions on one record share its tokens.

A sequence holds a record once and then each question with its answer. A question sees the record and
itself, and its positions go on from the record's end: every token has exactly the context that it would
have in a prompt of its own (a test proves it), at a fraction of the tokens.

What an optimizer step sees is a batch, and a large one comes in parts whose gradients add up to its own. Hands on
tensors. Does not know models or losses.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice

import torch
from torch import Tensor

from ..data.render import RenderedSample

__all__ = [
    "PART_TOKENS",
    "Batch",
    "Packed",
    "by_length",
    "collate",
    "endless_batches",
    "endless_parts",
    "pack",
    "pack_all",
    "visits",
]

PART_TOKENS = 1024
"""Tokens of a part, padding included, or one sequence where that is longer: more at a time take memory, and no less
time on a CPU (benchmarks/LOG.md)."""

_BUCKET = 32
_PADDING = -1


@dataclass(frozen=True, slots=True)
class Packed:
    """One sequence: a shared prefix and one branch for each question.

    Attributes:
        ids: ``T`` token ids.
        positions: ``T`` position ids; each branch goes on from the prefix's end.
        branches: ``T`` branch numbers, 0 for the prefix, from 1 for the questions.
        predicting: Indices into the sequence whose next token is an answer token.
        labels: Those answer tokens.
        samples: The samples, in branch order.
    """

    ids: list[int]
    positions: list[int]
    branches: list[int]
    predicting: list[int]
    labels: list[int]
    samples: list[RenderedSample]


@dataclass(frozen=True)
class Batch:
    """Packed sequences as tensors, padded to one length.

    Attributes:
        input_ids: ``[B, T]``.
        position_ids: ``[B, T]``.
        mask: ``[B, 1, T, T]`` bool, true where a query (third axis) sees a key (fourth).
        real: ``[B, T]`` bool, false on padding.
        rows: ``[N]`` batch row of each predicting position.
        columns: ``[N]`` its place in the row.
        labels: ``[N]`` the answer token that comes next.
        samples: Whose answers those are, in that order.
        answer_share: Where it is a part of a batch: its share of that batch's answer tokens.
        token_share: And of its real tokens.
    """

    input_ids: Tensor
    position_ids: Tensor
    mask: Tensor
    real: Tensor
    rows: Tensor
    columns: Tensor
    labels: Tensor
    samples: list[RenderedSample]
    answer_share: float = 1.0
    token_share: float = 1.0

    @property
    def has_answers(self) -> bool:
        """Whether there is anything to predict; what is rehearsed has no answers."""
        return len(self.labels) > 0

    @property
    def tokens(self) -> int:
        """Real tokens, padding not counted."""
        return int(self.real.sum())

    def for_model_with(self, tokens: Tensor | None) -> Batch:
        """The same pieces as a model reads them whose ids for them are ``tokens`` ``[V]``; None changes nothing."""
        return self if tokens is None else replace(self, input_ids=tokens[self.input_ids])


def pack(samples: Sequence[RenderedSample], *, with_answers: bool = True) -> Packed:
    """Pack samples on one record into one sequence.

    Without answers the branches end where the answers would begin, for generation.
    """
    shared = _shared_prefix([sample.prompt[:-1] for sample in samples])
    packed = Packed(list(shared), list(range(len(shared))), [0] * len(shared), [], [], list(samples))
    for branch, sample in enumerate(samples, start=1):
        question = sample.prompt[len(shared) :]
        inputs = (*question, *sample.answer[:-1]) if with_answers else question
        start = len(packed.ids) + len(question) - 1
        packed.ids.extend(inputs)
        packed.positions.extend(range(len(shared), len(shared) + len(inputs)))
        packed.branches.extend([branch] * len(inputs))
        if with_answers:
            packed.predicting.extend(range(start, start + len(sample.answer)))
            packed.labels.extend(sample.answer)
        else:
            packed.predicting.append(start)
    return packed


def pack_all(
    samples: Sequence[RenderedSample], questions_per_sequence: int, *, with_answers: bool = True
) -> list[Packed]:
    """Pack all samples, group by group, in the order of the groups' first samples."""
    order = {group: place for place, group in enumerate(dict.fromkeys(s.group for s in samples))}
    packed: list[Packed] = []
    for _, members in groupby(sorted(samples, key=lambda s: order[s.group]), key=lambda s: s.group):
        group = list(members)
        for start in range(0, len(group), questions_per_sequence):
            packed.append(pack(group[start : start + questions_per_sequence], with_answers=with_answers))
    return packed


def collate(sequences: Sequence[Packed]) -> Batch:
    """Sequences as one batch, padded to a multiple of 32 so that few shapes ever occur."""
    longest = max(len(sequence.ids) for sequence in sequences)
    length = -(-longest // _BUCKET) * _BUCKET
    branches = torch.tensor([_padded(s.branches, length, _PADDING) for s in sequences])
    rows = [row for row, s in enumerate(sequences) for _ in s.predicting]
    return Batch(
        input_ids=torch.tensor([_padded(s.ids, length, 0) for s in sequences]),
        position_ids=torch.tensor([_padded(s.positions, length, 0) for s in sequences]),
        mask=_visible(branches),
        real=branches != _PADDING,
        rows=torch.tensor(rows, dtype=torch.long),
        columns=torch.tensor([column for s in sequences for column in s.predicting], dtype=torch.long),
        labels=torch.tensor([label for s in sequences for label in s.labels], dtype=torch.long),
        samples=[sample for s in sequences for sample in s.samples],
    )


def endless_batches(sequences: Sequence[Packed], batch_tokens: int, seed: int) -> Iterator[Batch]:
    """Batches of about ``batch_tokens``, epoch after epoch, each epoch in a new order.

    Sequences of like length stand together, so that little is padding; the batches themselves
    come in random order.
    """
    return map(collate, _endless_groups(sequences, batch_tokens, seed))


def endless_parts(sequences: Sequence[Packed], batch_tokens: int, seed: int) -> Iterator[list[Batch]]:
    """The same batches, each in parts: means over a part's tokens, times its shares, add up to those of the batch."""
    return map(_parts, _endless_groups(sequences, batch_tokens, seed))


def visits(sequences: Sequence[Packed], batch_tokens: int, seed: int, steps: int) -> list[int]:
    """How often each sequence comes in the first so many of :func:`endless_batches`."""
    groups = islice(_endless_groups(sequences, batch_tokens, seed), steps)
    counts = Counter(id(sequence) for group in groups for sequence in group)
    return [counts[id(sequence)] for sequence in sequences]


def by_length(sequences: Sequence[Packed], batch_tokens: int) -> Iterator[list[Packed]]:
    """All sequences once, in batches of about ``batch_tokens``, those of like length together."""
    batch: list[Packed] = []
    for sequence in sorted(sequences, key=lambda s: -(-len(s.ids) // _BUCKET)):
        longest = -(-len(sequence.ids) // _BUCKET) * _BUCKET
        if batch and (len(batch) + 1) * longest > batch_tokens:
            yield batch
            batch = []
        batch.append(sequence)
    if batch:
        yield batch


def _endless_groups(sequences: Sequence[Packed], batch_tokens: int, seed: int) -> Iterator[list[Packed]]:
    rng = random.Random(seed)
    while True:
        shuffled = rng.sample(sequences, len(sequences))
        groups = list(by_length(shuffled, batch_tokens))
        rng.shuffle(groups)
        yield from groups


def _parts(sequences: Sequence[Packed]) -> list[Batch]:
    parts = [collate(part) for part in by_length(sequences, PART_TOKENS)]
    answers, tokens = sum(len(part.labels) for part in parts), sum(part.tokens for part in parts)
    answers = answers or 1  # what is rehearsed has none
    return [replace(part, answer_share=len(part.labels) / answers, token_share=part.tokens / tokens) for part in parts]


def _shared_prefix(prompts: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The longest run of tokens that all prompts begin with."""
    shortest = min(prompts, key=len)
    same = (len({prompt[place] for prompt in prompts}) == 1 for place in range(len(shortest)))
    return shortest[: next((place for place, equal in enumerate(same) if not equal), len(shortest))]


def _visible(branches: Tensor) -> Tensor:
    """``[B, 1, T, T]``: earlier tokens of the same branch or of the prefix."""
    same = branches[:, :, None] == branches[:, None, :]
    prefix = branches[:, None, :] == 0
    causal = torch.ones(branches.shape[1], branches.shape[1], dtype=torch.bool).tril()
    return ((same | prefix) & causal)[:, None]


def _padded(values: Sequence[int], length: int, filler: int) -> list[int]:
    return [*values, *[filler] * (length - len(values))]
