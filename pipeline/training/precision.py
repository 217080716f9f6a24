"""Which number format matrix products are computed in.

bfloat16 autocast is more than twice as fast where the CPU has instructions for it (benchmarks/LOG.md), and slower
elsewhere. The CPU is asked what it has, not timed: a run that goes on must take the same. Does not know models.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

import torch

__all__ = ["autocast", "chosen_precision"]

_INSTRUCTIONS = ("avx512_bf16", "amx_bf16", "bf16")


def chosen_precision(wanted: str) -> str:
    """The format to compute in; "auto" takes bfloat16 where the CPU has instructions for it."""
    if wanted != "auto":
        return wanted
    capabilities = torch.cpu.get_capabilities()
    return "bfloat16" if any(capabilities.get(name) for name in _INSTRUCTIONS) else "float32"


def autocast(precision: str) -> AbstractContextManager[object]:
    """The context to run a forward pass in."""
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bfloat16")
