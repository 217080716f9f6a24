"""How much each layer of a teacher matters: by how much the loss rises without it.

One forward pass over a few batches for each layer, all others in place ("Shortened LLaMA", arXiv 2402.02834, section
3, ranks blocks so by perplexity). What stands below the layer gives what it gave before, which halves the work. Does
not know how many layers will be kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import torch
from transformers import PreTrainedModel

from ..progress import track
from ..student import layers_of
from .batches import Packed, endless_batches
from .held_out import cross_entropy
from .hidden import given, recorded, skipped
from .precision import computing_in

__all__ = ["CALIBRATION_BATCHES", "layer_importance"]

CALIBRATION_BATCHES = 2
"""Single ones of the quickstart's agreed on the ten most important layers three times of four, and differed in four of
sixteen at the border, where layers matter equally little (benchmarks/LOG.md)."""


def layer_importance(
    model: PreTrainedModel, sequences: Sequence[Packed], *, batch_tokens: int, precision: str, seed: int
) -> list[float]:
    """Cross-entropy of the answers without each layer, less that with all of them, in nats a token.

    Args:
        model: The teacher, corrected.
        sequences: Training samples, of which a few batches are taken.
        batch_tokens: Tokens of one batch.
        precision: What to compute in.
        seed: Which batches are taken.
    """
    batches = list(islice(endless_batches(sequences, batch_tokens, seed), CALIBRATION_BATCHES))
    layers = layers_of(model)[1]
    without: list[float] = []
    with torch.inference_mode(), computing_in(model, precision), track("weigh layers", len(layers)) as progress:
        whole, outputs = 0.0, []
        for batch in batches:
            with recorded(model) as given_by_layers:
                whole += cross_entropy(model, [batch])
            outputs.append(given_by_layers)
        for place, layer in enumerate(layers):
            loss = 0.0
            for batch, below in zip(batches, outputs, strict=True):
                with given(layers[:place], below), skipped(layer):
                    loss += cross_entropy(model, [batch])
            without.append(loss)
            progress(1)
    tokens = sum(len(batch.labels) for batch in batches)
    return [(loss - whole) / tokens for loss in without]
