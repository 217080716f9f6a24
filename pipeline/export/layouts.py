"""How each numeric form rounds a model's weights: the layers' products one way, the embedding and the head another.

A form is one entry of ``LAYOUTS``. Hands on which weights those are in a torch model, for the exports and for training
that sees their rounding. Does not know graphs or training.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from .rounding import BLOCK, block_in, restore_channels, round_blocks, round_channels

__all__ = [
    "BLOCKS4",
    "BLOCKS8",
    "CHANNELS",
    "LAYOUTS",
    "WIDE",
    "WIDE_BLOCKS4",
    "Layout",
    "RoundedWeight",
    "Rounding",
    "is_rounded",
]

_EVERY = 16


@dataclass(frozen=True)
class Rounding:
    """One way to round.

    Attributes:
        bits: Of a level.
        block: Weights that share a scale; None is all of a row.
    """

    bits: int
    block: int | None

    def rounded(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """``[N, K]`` weights as they are read back."""
        if self.block is None:
            return restore_channels(*round_channels(values))
        return round_blocks(values, self.bits, wanted=self.block).restored()

    def block_in(self, width: int) -> int:
        """Weights that share a scale in rows of a width."""
        return width if self.block is None else block_in(width, self.block)


WIDE = 2 * BLOCK
BLOCKS4, BLOCKS8, CHANNELS = Rounding(4, BLOCK), Rounding(8, BLOCK), Rounding(8, None)
WIDE_BLOCKS4 = Rounding(4, WIDE)
"""Half as many scales: a tenth less to read for each token, where that is what a token waits for."""


@dataclass(frozen=True)
class RoundedWeight:
    """A weight of a model, and how it is rounded.

    Attributes:
        parameter: The weight.
        rounding: How.
        is_turned: Whether it stands as ``[K, N]``, as GPT-2's do; rows of ``[N, K]`` are rounded.
    """

    parameter: nn.Parameter
    rounding: Rounding
    is_turned: bool

    @property
    def rows(self) -> torch.Tensor:
        """The values as ``[N, K]``; they share the parameter's memory."""
        return self.parameter.data.T if self.is_turned else self.parameter.data


@dataclass(frozen=True)
class Layout:
    """What a form rounds, and how; None leaves fp32.

    Attributes:
        body: The products of the layers.
        head: The product that makes the logits, and the token embedding.
    """

    body: Rounding | None
    head: Rounding | None

    def weights(self, model: PreTrainedModel) -> Iterator[RoundedWeight]:
        """The weights of a model that the form rounds; a tied embedding comes once."""
        ends: tuple[Any, Any] = model.get_input_embeddings(), model.get_output_embeddings()
        tables = [part.weight for part in ends]
        for table in {id(table): table for table in tables}.values():
            if self.head:
                yield RoundedWeight(table, self.head, is_turned=False)
        products: list[Any] = [layer for layer in model.modules() if isinstance(layer, nn.Linear | Conv1D)]
        for layer in products:
            if self.body and not any(layer.weight is table for table in tables):
                yield RoundedWeight(layer.weight, self.body, is_turned=isinstance(layer, Conv1D))


LAYOUTS: dict[str, Layout] = {
    "none": Layout(None, None),
    "int8": Layout(BLOCKS8, BLOCKS8),
    "int4": Layout(BLOCKS4, BLOCKS8),
    "int8-dynamic": Layout(CHANNELS, CHANNELS),
    "mixed": Layout(BLOCKS8, BLOCKS4),
    "mixed-dynamic": Layout(CHANNELS, BLOCKS4),
    "int4-all": Layout(WIDE_BLOCKS4, WIDE_BLOCKS4),
}


def is_rounded(model: PreTrainedModel, form: str) -> bool:
    """Whether rounding a model to a form would change none of its weights, by every sixteenth row of each."""
    weights = list(LAYOUTS[form].weights(model))
    samples = ((each.rounding, each.rows[::_EVERY].contiguous().numpy()) for each in weights)
    return bool(weights) and all(np.array_equal(rounding.rounded(rows), rows) for rounding, rows in samples)
