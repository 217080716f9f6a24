"""The finish: a student's last steps, computed with its weights rounded as the export will round them.

The student as it was teaches the rounded one, so that this answers as that did (LLM-QAT, arXiv 2305.17888), or its
teacher does. Gradients go straight through the rounding to the fp32 weights (Bengio et al., arXiv 1308.3432); in the
end these are put onto their levels, and the export finds them there (``export/rounding.py``). Scales and zeros of 4
bits are searched once, at the start: a search takes longer than a step, and in so few steps hardly a weight leaves its
block's range. Scales of 8 bits follow their largest value, as in the export.

In bfloat16 the rounded weights are computed with as all others are, rounded once more to 8 significant bits: up to a
64th of a level at 4 bits and a quarter of one at 8. The fp32 values are the levels' own. What activations lose as they
are rounded at run time is not seen here. Does not know graphs, or which form a run wants.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel

from ..checkpoints import Checkpoints
from ..export.layouts import LAYOUTS, RoundedWeight
from ..export.rounding import TINY, round_blocks
from .batches import Packed
from .compiled import compiled_layers
from .distillation import Pair, distill
from .loop import Schedule
from .precision import Roundings
from .rehearsal import Rehearsal

__all__ = ["as_it_was", "finish", "roundings_of", "settle"]

_PIECE = 1 << 17
"""Weights rounded at a time: what stands between the operations stays in the processor's cache."""


def as_it_was(student: PreTrainedModel, vocabulary_size: int, *, is_cut: bool) -> Pair:
    """A student that a copy of itself teaches.

    Args:
        student: In fp32.
        vocabulary_size: Its tokens; logits beyond are padding.
        is_cut: Whether it was cut from a teacher, so that its embeddings are not trained.
    """
    before = copy.deepcopy(student).requires_grad_(False).eval()
    return Pair.of(before, student, vocabulary_size, is_cut=is_cut)


def finish(
    pair: Pair,
    loss: nn.Module,
    sequences: Sequence[Packed],
    schedule: Schedule,
    *,
    form: str,
    alignment: float,
    batch_tokens: int,
    precision: str,
    compiled: bool,
    seed: int,
    checkpoints: Checkpoints | None = None,
    rehearsal: Rehearsal | None = None,
) -> list[float]:
    """Train a student on with rounded weights, in place; returns the loss at each step.

    Args:
        pair: The student, in fp32, and who teaches it; after it, its weights lie on the levels of the form.
        loss: Of the rounded student's logits, its teacher's, and labels.
        sequences: What to train on.
        schedule: How long and how fast.
        form: A key of :data:`~attar.pipeline.export.layouts.LAYOUTS`.
        alignment: Weight of the hidden states' cosine distance.
        batch_tokens: Tokens of one batch.
        precision: "float32" or "bfloat16".
        compiled: Whether to compile the layers.
        seed: Seed of the order.
        checkpoints: Where unfinished training is kept.
        rehearsal: What is rehearsed beside the samples, of a pair whose layers correspond.

    Raises:
        CheckFailed: The loss is not a finite number.
    """
    roundings = roundings_of(pair.student, form)
    with compiled_layers(pair.teacher, pair.student, when=compiled):
        losses = distill(
            pair,
            loss,
            sequences,
            schedule,
            alignment=alignment,
            batch_tokens=batch_tokens,
            precision=precision,
            seed=seed,
            title="finish",
            roundings=roundings,
            checkpoints=checkpoints,
            rehearsal=rehearsal,
        )
    settle(roundings)
    return losses


def roundings_of(model: PreTrainedModel, form: str) -> Roundings:
    """How a form rounds each weight of a model, as the export would now."""
    return {weight.parameter: _rounding(weight) for weight in LAYOUTS[form].weights(model)}


def settle(roundings: Roundings) -> None:
    """Put weights onto their levels."""
    for parameter, write in roundings.items():
        write(parameter.data, parameter.data)


def _rounding(weight: RoundedWeight) -> Callable[[Tensor, Tensor], None]:
    width = weight.rows.shape[1]
    block = weight.rounding.block_in(width)
    rounded = _four_bits(weight.rows, block) if weight.rounding.bits == 4 else _eight_bits
    rows = max(1, _PIECE // width)

    def write(values: Tensor, target: Tensor) -> None:
        if weight.is_turned:
            values, target = values.T, target.T
        for start in range(0, len(values), rows):
            place = slice(start, start + rows)
            padded = functional.pad(values[place], (0, -width % block)) if width % block else values[place]
            levels = rounded(padded.reshape(len(padded), -1, block), place)
            target[place] = levels.reshape(len(padded), -1)[:, :width]

    return write


def _four_bits(rows: Tensor, block: int) -> Callable[[Tensor, slice], Tensor]:
    """Rounds blocks ``[n, B, k]`` of some rows by the scales and zeros that the export gives the rows as they are."""
    found = round_blocks(rows.contiguous().numpy(), 4, wanted=block)
    scales, zeros = torch.from_numpy(found.scales)[..., None], torch.from_numpy(found.zero_levels)[..., None]
    inverse = _inverse(scales)

    def rounded(blocks: Tensor, place: slice) -> Tensor:
        levels = (blocks * inverse[place]).round_().add_(zeros[place]).clamp_(0, 15)
        return levels.sub_(zeros[place]).mul_(scales[place])

    return rounded


def _eight_bits(blocks: Tensor, _: slice) -> Tensor:
    """Blocks ``[n, B, k]`` rounded, each with the scale of its largest value."""
    scales = blocks.abs().amax(-1, keepdim=True).div_(127)
    bits = scales.view(torch.int32)
    bits.add_(128).bitwise_and_(-256)  # the last bits are 0: see the export's rounding
    return (blocks * _inverse(scales)).round_().mul_(scales)


def _inverse(scales: Tensor) -> Tensor:
    return torch.where(scales.abs() > TINY, 1 / scales, 0)
