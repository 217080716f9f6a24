"""Whether a training fits into memory, asked before its first step: being killed in the midst of it says nothing.

Counts what is known of the model at hand: gradients, moments, rounded copies, the best weights so far. What its
activations take is left out, so what is refused here can't fit; ``attar plan`` estimates them too. Does not know
batches.
"""

from __future__ import annotations

from torch import nn

from attar.runtime.errors import TooLittleMemory
from attar.runtime.limits import memory

__all__ = ["bytes_to_train", "require_room"]

_GRADIENT_AND_MOMENTS = 4 + 8
"""Bytes of each trained parameter, all in fp32."""


def bytes_to_train(model: nn.Module, precision: str, *, keeps_best: bool) -> int:
    """Bytes that training takes beside the model's fp32 weights, and beside activations."""
    everything = sum(parameter.numel() for parameter in model.parameters())
    trained = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    rounded = 2 * (everything + trained) if precision == "bfloat16" else 0  # weights, and gradients of those trained
    return (_GRADIENT_AND_MOMENTS + (4 if keeps_best else 0)) * trained + rounded


def require_room(title: str, model: nn.Module, precision: str, *, keeps_best: bool) -> None:
    """Refuse a training that can't fit.

    Raises:
        TooLittleMemory: With both figures.
    """
    needed, found = bytes_to_train(model, precision, keeps_best=keeps_best), memory()
    if found is None or needed <= found.free:
        return
    raise TooLittleMemory(
        f"There is too little memory to {title}.",
        where=title,
        why=f"It takes at least {needed / 1e9:.2f} GB beside the model and its activations; {found.free / 1e9:.2f} GB "
        "are free.",
        next_step="End other programs, raise the container's limit, or take a smaller teacher or student; attar plan "
        "estimates every stage.",
    )
