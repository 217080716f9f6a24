"""Which number format training computes in.

bfloat16 is more than twice as fast as float32 where the CPU has instructions for it (benchmarks/LOG.md), and slower
elsewhere. The CPU is asked what it has, not timed: a run that goes on must take the same. Weights may also be rounded
on the way to the copies that are computed with. Does not know batches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

import torch
from torch import Tensor, nn

from ..allocation import LARGE, lend

__all__ = ["Roundings", "autocast", "chosen_precision", "computing_in", "put"]

Roundings = Mapping[nn.Parameter, Callable[[Tensor, Tensor], object]]
"""For some parameters, what writes values rounded to a tensor of their shape, which may be the same one."""

_INSTRUCTIONS = ("avx512_bf16", "amx_bf16", "bf16")


def chosen_precision(wanted: str) -> str:
    """The format to compute in; "auto" takes bfloat16 where the CPU has instructions for it."""
    if wanted != "auto":
        return wanted
    capabilities = torch.cpu.get_capabilities()
    return "bfloat16" if any(capabilities.get(name) for name in _INSTRUCTIONS) else "float32"


@contextmanager
def computing_in(model: nn.Module, precision: str, roundings: Roundings | None = None) -> Iterator[None]:
    """In the block the parameters hold rounded copies of their values; after it, what they held before.

    Autocast would round the weights, and what stands between the layers, again in every layer: a quarter of the
    time. Buffers stay as they are: rotary frequencies don't bear rounding. What nobody trains is not read in the block,
    so its pages are lent to the system: a teacher's are those of its file.
    """
    dtype, rounded = getattr(torch, precision), roundings or {}
    changed = (each for each in model.parameters() if each.dtype != dtype or each in rounded)
    kept = [(parameter, parameter.data) for parameter in changed]
    for parameter, data in kept:
        parameter.data = torch.empty_like(data, dtype=dtype)
        put(parameter, data, rounded)
        if not parameter.requires_grad and data.nbytes >= LARGE:
            lend(data.data_ptr(), data.nbytes)
    try:
        yield
    finally:
        for parameter, data in kept:
            parameter.data = data
            parameter.grad = None


def put(parameter: nn.Parameter, values: Tensor, roundings: Roundings) -> None:
    """Write values to a parameter, rounded if it is to hold rounded ones, in the format that it is in."""
    write = roundings.get(parameter)
    if write:
        write(values, parameter.data)
    else:
        parameter.data.copy_(values)


def autocast(precision: str) -> AbstractContextManager[object]:
    """The context to run a forward pass of an fp32 model in."""
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bfloat16")
