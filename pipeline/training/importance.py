"""Which layers of a teacher matter: by how much the loss on samples rises where they are left out.

One forward pass over a few batches for each question that :func:`~attar.pipeline.student.ranked_layers` asks
("Shortened LLaMA", arXiv 2402.02834, section 3, ranks blocks by perplexity so, each alone). What stands below the
lowest layer that is left out gives what it gave before. Does not know how students are trained.
"""

from __future__ import annotations

from collections.abc import Sequence
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

__all__ = ["CALIBRATION_BATCHES", "layer_ranking"]

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
        weighing = _Weighing(model, batches)

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


class _Weighing:
    """The loss of a model without some of its layers."""

    def __init__(self, model: PreTrainedModel, batches: Sequence[Batch]) -> None:
        self._model, self._layers = model, layers_of(model)[1]
        self._batches: list[tuple[Batch, list[Any]]] = []
        for batch in batches:
            with recorded(model) as outputs:
                cross_entropy(model, [batch])
            self._batches.append((batch, outputs))

    def loss_without(self, layers: Sequence[int]) -> float:
        """Cross-entropy of the answers, in nats, summed over the batches."""
        left_out = [self._layers[layer] for layer in layers]
        loss = 0.0
        for batch, outputs in self._batches:
            with given(self._layers[: min(layers)], outputs), skipped(left_out, outputs[0]):
                loss += cross_entropy(self._model, [batch])
        return loss
