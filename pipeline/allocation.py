"""What memory goes back to the system: large blocks when they are freed, and what is not read for a while.

Batches differ in length, so a training frees and takes blocks of ever other sizes. glibc raises the size from which
blocks are the system's own with every such block that is freed, up to 32 MB; the others lie in one heap, whose holes
fit no later block and are not given back (benchmarks/LOG.md). Giving back costs time where sequences are long; huge
pages save it, but have to be asked for before a process starts, so what the environment says goes. What one piece of
work left free, the next may not need: it is given back between them. Does not know torch.
"""

from __future__ import annotations

import ctypes
import mmap
import os

__all__ = ["LARGE", "lend", "return_free_memory", "return_large_blocks"]

LARGE = 1 << 20
"""Bytes from which a block is the system's own."""
_MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD of malloc.h
_PAGEOUT = 21  # MADV_PAGEOUT of madvise(2), Linux 5.4
_VARIABLE, _TUNABLE = "MALLOC_MMAP_THRESHOLD_", "glibc.malloc.mmap_threshold="


def return_large_blocks() -> bool:
    """Have blocks of a megabyte and more given back when they are freed; whether the C library was told so.

    Holds for the whole process, and may be called again. Where the environment names a size, that stays.
    """
    if _VARIABLE in os.environ or _TUNABLE in os.environ.get("GLIBC_TUNABLES", ""):
        return False
    return _called("mallopt", _MMAP_THRESHOLD, LARGE) == 1


def return_free_memory() -> bool:
    """Give back what earlier work left free in the heap; whether there was any."""
    return _called("malloc_trim", 0) == 1


def lend(address: int, size: int) -> bool:
    """Let the system have the pages of a block that is not read for a while; whether it takes such advice.

    What was mapped from a file is dropped and read again when it is wanted, and the rest stays or is swapped: nothing
    is lost, but time, if the block is read soon.

    Args:
        address: Where the block begins.
        size: Its bytes; of pages that it shares with others nothing is said.
    """
    start = -(-address // mmap.PAGESIZE) * mmap.PAGESIZE
    whole = (address + size - start) // mmap.PAGESIZE * mmap.PAGESIZE
    return whole > 0 and _called("madvise", ctypes.c_void_p(start), ctypes.c_size_t(whole), _PAGEOUT) == 0


def _called(name: str, *arguments: object) -> int | None:
    """What a function of the C library returns; None on another system, or with a library that has none such."""
    try:
        found: int = ctypes.CDLL(None)[name](*arguments)
    except (OSError, AttributeError):
        return None
    return found
