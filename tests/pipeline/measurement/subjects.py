"""Subjects whose cost is known beforehand, loaded by workers as ``module:name``."""

from __future__ import annotations

import ctypes
import os
import threading
import time
from collections.abc import Iterator, Sequence

SPIKE_BYTES = 200 << 20


class Plain:
    """Answers with the numbers of its tokens, at once."""

    size_bytes = 1000

    def __init__(self, path: str, threads: int) -> None:
        self.threads = threads

    def answer(self, prompt: Sequence[int], tokens: int, given: Sequence[int] | None) -> Iterator[int]:
        yield from range(tokens)


class Spike(Plain):
    """Holds 200 MiB of native memory for 5 ms while it answers."""

    def answer(self, prompt: Sequence[int], tokens: int, given: Sequence[int] | None) -> Iterator[int]:
        libc = ctypes.CDLL(None)
        libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
        libc.free.argtypes = [ctypes.c_void_p]
        block = libc.malloc(SPIKE_BYTES)
        ctypes.memset(block, 1, SPIKE_BYTES)
        time.sleep(0.005)
        libc.free(block)
        yield from range(tokens)


class Slow(Plain):
    """Takes ``path`` seconds for each token."""

    def __init__(self, path: str, threads: int) -> None:
        super().__init__(path, threads)
        self._seconds = float(path)

    def answer(self, prompt: Sequence[int], tokens: int, given: Sequence[int] | None) -> Iterator[int]:
        for token in range(tokens):
            time.sleep(self._seconds)
            yield token


class Short(Plain):
    """Ends an answer before its time."""

    def answer(self, prompt: Sequence[int], tokens: int, given: Sequence[int] | None) -> Iterator[int]:
        yield from range(tokens - 1)


class Greedy(Plain):
    """Computes with one thread more than it may."""

    def __init__(self, path: str, threads: int) -> None:
        super().__init__(path, threads + 1)


class Restless(Plain):
    """Spins while it waits."""

    def __init__(self, path: str, threads: int) -> None:
        super().__init__(path, threads)
        threading.Thread(target=self._spin, daemon=True).start()

    def _spin(self) -> None:
        while True:
            pass


class Chatty(Plain):
    """Prints to standard output, as libraries do."""

    def answer(self, prompt: Sequence[int], tokens: int, given: Sequence[int] | None) -> Iterator[int]:
        os.write(1, b"loading...\n")
        yield from range(tokens)


class Broken(Plain):
    """Fails while it answers."""

    def answer(self, prompt: Sequence[int], tokens: int, given: Sequence[int] | None) -> Iterator[int]:
        raise RuntimeError("out of paper")
