"""Which layers of a teacher matter: by how much the loss on samples rises where they are left out.

One forward pass over a few batches for each question that :func:`~attar.pipeline.student.ranked_layers` asks
("Shortened LLaMA", arXiv 2402.02834, section 3, ranks blocks by perplexity so, each alone). What stands below the
layer in question gives what it gave before. Does not know how students are trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch
from transformers import PreTrainedModel

from ..progress import track
from ..student import layers_of, ranked_layers
from .batches import Batch, Packed, endless_batches
from .held_out import cross_entropy
from .hidden import given, recorded, skipped
from .precision import computing_in

__all__ = ["CALIBRATION_BATCHES", "Weighing", "layer_ranking"]

CALIBRATION_BATCHES = 2
"""Of two students with fifteen layers, four batches left the same eight of one as two did; a single one left the same
of one and worse ones of the other, 3.0 nats a token where two leave 1.7 (benchmarks/LOG.md)."""


def layer_ranking(
    model: PreTrainedModel, sequences: Sequence[Packed], keep: int, *, batch_tokens: int, precision: str, seed: int
) -> list[int]:
    """Numbers of a model's layers, the most important first, for a cut to so many.

    Args:
        model: The teacher, corrected.
        sequences: Training samples, of which a few batches are taken.
        keep: How many layers will be kept.
        batch_tokens: Tokens of one batch.
        precision: What to compute in.
        seed: Which batches are taken.
    """
    batches = list(islice(endless_batches(sequences, batch_tokens, seed), CALIBRATION_BATCHES))
    total = len(layers_of(model)[1])
    every = total + max(0, total - keep)  # each layer alone, then one step for each that goes
    done = 0
    with torch.inference_mode(), computing_in(model, precision), track("weigh layers", every) as progress:
        weighing = Weighing(model, batches)

        def loss_without(layers: Sequence[int]) -> float:
            nonlocal done
            loss = weighing.loss_without(layers)
            step = done + 1 if len(layers) == 1 else total + len(layers) - 1
            progress(step - done)
            done = step
            return loss

        ranking = ranked_layers(total, keep, loss_without)
        progress(every - done)
    return ranking


@dataclass(frozen=True)
class _Trial:
    """What a model does without some of its layers.

    Attributes:
        layers: Those that were left out.
        loss: Cross-entropy of the answers, in nats, summed over the batches.
        outputs: What each layer gives, by batch; one that is left out gives what it gets.
    """

    layers: list[int]
    loss: float
    outputs: list[list[Any]]


class Weighing:
    """The losses of a model without ever more of its layers.

    A trial leaves out one layer more than is gone, and computes from that layer on. The trial with the least loss is
    remembered, as most likely its layer goes next.
    """

    def __init__(self, model: PreTrainedModel, batches: Sequence[Batch]) -> None:
        self._model, self._layers, self._batches = model, layers_of(model)[1], batches
        loss = 0.0
        found: list[list[Any]] = []
        for batch in batches:
            with recorded(model) as outputs:
                loss += cross_entropy(model, [batch])
            found.append(outputs)
        self._standing = _Trial([], loss, found)
        self._least: _Trial | None = None

    def loss_without(self, layers: Sequence[int]) -> float:
        """Cross-entropy of the answers, in nats, summed over the batches.

        Args:
            layers: All that are gone, the last of which may be so since the last call, and the one that is tried.
        """
        *gone, _ = layers
        if gone != self._standing.layers:
            least = self._least
            self._standing = least if least is not None and least.layers == gone else self._trial(gone)
            self._least = None
        trial = self._trial(layers)
        if self._least is None or trial.loss < self._least.loss:
            self._least = trial
        return trial.loss

    def _trial(self, layers: Sequence[int]) -> _Trial:
        """What stands below the last of these layers gives what it gave before."""
        tried = layers[-1]
        left_out = [self._layers[layer] for layer in layers if layer >= tried]
        loss = 0.0
        found: list[list[Any]] = []
        for batch, known in zip(self._batches, self._standing.outputs, strict=True):
            with given(self._layers[:tried], known), skipped(left_out, known[0]), recorded(self._model) as outputs:
                loss += cross_entropy(self._model, [batch])
            found.append(outputs)
        return _Trial(list(layers), loss, found)
