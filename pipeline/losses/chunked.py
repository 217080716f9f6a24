"""A loss over answer tokens, computed chunk by chunk, the head included.

A small model's logits are its largest tensor by far, and a divergence holds several of their size. Here only a
chunk's exist at a time: each chunk's gradient is taken at once, and only that of hidden states and head is kept
(the way of fused linear losses, arXiv 2410.10989). Does not know which loss, or whose head.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

__all__ = ["mean_in_chunks"]

_CHUNK = 32
"""Tokens of a chunk: at 49,152 tokens of vocabulary its logits take 6 MB."""
_CHUNK_TRAINED = 256
"""The same where the head is trained: every chunk makes a gradient of its whole size, so few chunks are better."""

LossOf = Callable[[Tensor, slice], Tensor]


def mean_in_chunks(
    loss_of: LossOf, hidden: Tensor, parameters: Sequence[Tensor] = (), *, chunk: int | None = None
) -> Tensor:
    """The mean loss over N tokens, a scalar with gradients.

    Args:
        loss_of: From hidden states ``[n, H]`` of a slice of the tokens, and that slice, the loss of each, ``[n]``.
        hidden: ``[N, H]``, what the head reads.
        parameters: What else ``loss_of`` depends on and is trained: the head's. Others get no gradient.
        chunk: Tokens at a time; by default few, and more where the head is trained.
    """
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    size = chunk or (_CHUNK_TRAINED if trained else _CHUNK)
    total: Tensor = _Chunks.apply(loss_of, size, hidden, *trained)  # type: ignore[no-untyped-call]
    return total / len(hidden)


class _Chunks(torch.autograd.Function):
    """The sum of the losses; the gradient is there once the value is, and waits for ``backward``, called once."""

    @staticmethod
    def forward(ctx: Any, loss_of: LossOf, chunk: int, hidden: Tensor, *trained: Tensor) -> Tensor:
        wanted = any(ctx.needs_input_grad)
        total = torch.zeros(())
        of_hidden, of_trained = [], [torch.zeros_like(parameter, dtype=torch.float32) for parameter in trained]
        for start in range(0, len(hidden), chunk):
            place = slice(start, start + chunk)
            with torch.set_grad_enabled(wanted):
                piece = hidden[place].detach().requires_grad_(wanted)
                value = loss_of(piece, place).sum()
            total += value.detach()
            if wanted:
                first, *rest = torch.autograd.grad(value, [piece, *trained])
                of_hidden.append(first)
                for gathered, gradient in zip(of_trained, rest, strict=True):
                    gathered += gradient
                del first, rest
            del piece, value  # or this chunk's logits would be there beside the next one's
        if wanted:
            ctx.gradients = torch.cat(of_hidden), *of_trained
            ctx.dtypes = [parameter.dtype for parameter in trained]
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        of_hidden, *of_trained = ctx.gradients  # none of them an input or output, so nothing leaks
        factor = gradients[0]
        scaled = [one.mul_(factor).to(dtype) for one, dtype in zip(of_trained, ctx.dtypes, strict=True)]
        return None, None, of_hidden.mul_(factor), *scaled
