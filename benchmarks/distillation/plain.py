"""The plain loop: distillation as tutorials show it, and what most trainers come to on a CPU.

One question a sequence, in random order, padded to the longest of its batch, all in fp32, teacher online, full logits
of both at every position, the loss masked. Knows nothing of attar's training but the loss.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from attar.pipeline import DistillationLoss
from attar.pipeline.data.render import RenderedSample

from .scene import Scene

__all__ = ["PlainLoop"]

_BATCH = 8
"""Sequences of a batch: about as many tokens as attar's batches have."""


class PlainLoop:
    """Trains the student of a scene, in place.

    Args:
        place: The scene.
        rate: Learning rate.
    """

    def __init__(self, place: Scene, rate: float) -> None:
        self._teacher, self._student = place.pair.teacher, place.pair.student
        self._student.train().requires_grad_(True)
        self._student.get_input_embeddings().requires_grad_(False)  # as attar leaves them
        self._tokens, self._size = place.pair.tokens, place.pair.vocabulary_size
        self._loss = DistillationLoss(place.distiller.loss.temperature, place.distiller.loss.alpha)
        self._trained = [parameter for parameter in self._student.parameters() if parameter.requires_grad]
        self._optimizer = torch.optim.AdamW(self._trained, lr=rate, fused=True)

    def epoch(self, samples: Sequence[RenderedSample]) -> None:
        """All samples once."""
        for batch in self._batches(samples):
            self.loss(batch).backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self._trained, 1.0)
            self._optimizer.step()
            self._optimizer.zero_grad(set_to_none=True)

    def loss(self, samples: Sequence[RenderedSample]) -> Tensor:
        """The mean over the samples' answer tokens."""
        texts = [(*sample.prompt, *sample.answer) for sample in samples]
        longest = max(map(len, texts))
        ids = torch.tensor([[*text, *[0] * (longest - len(text))] for text in texts])
        real = torch.tensor([[1] * len(text) + [0] * (longest - len(text)) for text in texts])
        answers = torch.zeros(ids.shape, dtype=torch.bool)
        for row, sample in enumerate(samples):
            answers[row, len(sample.prompt) - 1 : len(texts[row]) - 1] = True
        with torch.no_grad():
            theirs = _logits(self._teacher, ids if self._tokens is None else self._tokens[ids], real)
        theirs = theirs[..., : self._size] if self._tokens is None else theirs[..., self._tokens]
        ours = _logits(self._student, ids, real)[..., : self._size]
        labels = ids.roll(-1, dims=1)
        every = self._loss.per_token(ours.flatten(0, 1), theirs.flatten(0, 1), labels.flatten())
        return (every * answers.flatten()).sum() / answers.sum()

    def _batches(self, samples: Sequence[RenderedSample]) -> Iterator[list[RenderedSample]]:
        shuffled = random.Random(0).sample(samples, len(samples))
        for start in range(0, len(shuffled), _BATCH):
            yield shuffled[start : start + _BATCH]


def _logits(model: Any, ids: Tensor, real: Tensor) -> Tensor:
    logits: Tensor = model(input_ids=ids, attention_mask=real, use_cache=False).logits
    return logits
