"""Which number format matrix products are computed in.

bfloat16 autocast is more than twice as fast where the CPU has instructions for it, and slower elsewhere;
so it is tried. Does not know models.
"""

from __future__ import annotations

import time
from contextlib import AbstractContextManager

import torch

__all__ = ["autocast", "chosen_precision"]

_WORTH_IT = 1.2


def chosen_precision(wanted: str) -> str:
    """The format to compute in; "auto" takes bfloat16 where a product of it is a fifth faster here."""
    if wanted != "auto":
        return wanted
    return "bfloat16" if _seconds(torch.float32) > _WORTH_IT * _seconds(torch.bfloat16) else "float32"


def autocast(precision: str) -> AbstractContextManager[object]:
    """The context to run a forward pass in."""
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bfloat16")


def _seconds(dtype: torch.dtype) -> float:
    left = torch.ones(512, 576, dtype=dtype)
    right = torch.ones(576, 1536, dtype=dtype)
    times = []
    for _ in range(5):
        started = time.perf_counter()
        left @ right
        times.append(time.perf_counter() - started)
    return min(times)
