"""Which number format training computes in.

bfloat16 is more than twice as fast as float32 where the CPU has instructions for it (benchmarks/LOG.md), and slower
elsewhere. The CPU is asked what it has, not timed: a run that goes on must take the same. Does not know batches.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import torch
from torch import nn

__all__ = ["autocast", "chosen_precision", "computing_in"]

_INSTRUCTIONS = ("avx512_bf16", "amx_bf16", "bf16")


def chosen_precision(wanted: str) -> str:
    """The format to compute in; "auto" takes bfloat16 where the CPU has instructions for it."""
    if wanted != "auto":
        return wanted
    capabilities = torch.cpu.get_capabilities()
    return "bfloat16" if any(capabilities.get(name) for name in _INSTRUCTIONS) else "float32"


@contextmanager
def computing_in(model: nn.Module, precision: str) -> Iterator[None]:
    """In the block the parameters hold rounded copies of their values; after it, what they held before.

    Autocast would round the weights, and what stands between the layers, again in every layer: a quarter of the
    time. Buffers stay as they are: rotary frequencies don't bear rounding.
    """
    dtype = getattr(torch, precision)
    kept = [(parameter, parameter.data) for parameter in model.parameters() if parameter.dtype != dtype]
    for parameter, data in kept:
        parameter.data = data.to(dtype)
    try:
        yield
    finally:
        for parameter, data in kept:
            parameter.data = data
            parameter.grad = None


def autocast(precision: str) -> AbstractContextManager[object]:
    """The context to run a forward pass of an fp32 model in."""
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bfloat16")
