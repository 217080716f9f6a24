"""How the C library keeps freed memory: large blocks go back to the system at once.

Batches differ in length, so a training frees and takes blocks of ever other sizes. glibc raises the size from which
blocks are the system's own with every such block that is freed, up to 32 MB; the others lie in one heap, whose holes
fit no later block and are not given back (benchmarks/LOG.md). Does not know torch.
"""

from __future__ import annotations

import ctypes

__all__ = ["LARGE", "return_large_blocks"]

LARGE = 1 << 20
"""Bytes from which a block is the system's own."""
_MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD of malloc.h


def return_large_blocks() -> bool:
    """Have blocks of a megabyte and more given back when they are freed; whether the C library can be told so.

    Holds for the whole process, and may be called again.
    """
    try:
        return bool(ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, LARGE))
    except (OSError, AttributeError):  # another system, or another C library
        return False
