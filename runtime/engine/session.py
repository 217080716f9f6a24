"""An onnxruntime session of a graph, and the decoder that knows how to drive it.

A graph comes in one of two contracts, which the manifest names: what Optimum exports, or attar's own fast graph.
Hands on a decoder that hides which. Does not know sampling or stops.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from ..bundle import Architecture
from ..errors import BundleError
from ..processor import CPUINFO, Processor, read_processor, require_instructions

__all__ = ["Cache", "Decoder", "Reader", "Rows", "load_session", "open_decoder", "sums_exactly"]

_EXACT = {"avx512_vnni", "avx_vnni"}
_SPIN = "50"  # microseconds
_CREATING = threading.Lock()  # creating two sessions at once is not safe (onnxruntime#27089)


class Cache(Protocol):
    """Keys and values of the tokens read so far.

    Attributes:
        length: How many tokens.
    """

    @property
    def length(self) -> int: ...


class Reader(Protocol):
    """Whatever reads tokens and gives logits. Safe for many threads, each with caches of its own."""

    def empty_cache(self, capacity: int | None = None) -> Any:
        """A cache of no tokens, with room for ``capacity`` of them, by default for the whole context."""

    def forward(self, ids: Sequence[int], cache: Any, *, logits_from: int = -1) -> tuple[NDArray[np.float32], Any]:
        """Read tokens.

        Args:
            ids: ``T`` token ids.
            cache: What was read before. It may be given again to read something else after it; then what
                was read first is gone.
            logits_from: The first of the ``T`` places whose logits are wanted; -1 is the last, as in a slice.

        Returns:
            Logits ``[T - logits_from, V]``, which the next call with this cache may overwrite, and the cache
            with the tokens appended.
        """

    def release(self, cache: Any) -> None:
        """Give a cache's memory back for the next; the cache must not be used again."""


class Decoder(Reader, Protocol):
    """A loaded graph, which can also decode sequences together."""

    def rows(self) -> Rows:
        """No sequences yet, to be decoded together."""


class Rows(Protocol):
    """Keys and values of several sequences that are decoded together. For one thread at a time."""

    def __len__(self) -> int:
        """How many sequences there are."""

    def add(self) -> None:
        """Begin a sequence; it is the last row."""

    def read(self, row: int, ids: Sequence[int], *, logits_from: int = -1) -> NDArray[np.float32]:
        """Read tokens of one row, and return logits ``[R, V]``, as :meth:`Reader.forward` does."""

    def forget(self, row: int, count: int) -> None:
        """Take back the last ``count`` tokens that a row has read."""

    def step(self, tokens: Sequence[int | None]) -> NDArray[np.float32]:
        """Read one token in each row, and return logits ``[B, V]``, which the next call may overwrite.

        Rows whose token is None wait; their logits mean nothing.
        """

    def drop(self, row: int) -> None:
        """End a sequence; the last row takes its place."""


def open_decoder(graph: Path, architecture: Architecture, contract: str, *, threads: int) -> Decoder:
    """Load a graph.

    Args:
        graph: The ``.onnx`` file.
        architecture: The shape that the graph should have.
        contract: "optimum" or "fast", as the manifest says.
        threads: Threads of one call.

    Raises:
        BundleError: The contract is unknown, onnxruntime refuses the graph, or its inputs are not those of a
            decoder of this shape.
    """
    from .fast import FastDecoder
    from .optimum import OptimumDecoder

    decoders: dict[str, type[FastDecoder] | type[OptimumDecoder]] = {"fast": FastDecoder, "optimum": OptimumDecoder}
    if contract not in decoders:
        raise BundleError(
            f"The graph is of a kind that this attar does not know: {contract!r}.",
            where=graph,
            next_step="Update attar, or export the student again with this version.",
        )
    return decoders[contract](load_session(graph, threads=threads), graph, architecture)


def load_session(graph: Path, *, threads: int, cpuinfo: Path = CPUINFO) -> onnxruntime.InferenceSession:
    """A session on the CPU.

    Its threads spin while a run is under way, and briefly: between two operators of one step it is a few microseconds
    to the next piece of work, and to sleep and be woken takes as long. Between runs they sleep, so that nothing is
    taken from the process that the engine is a part of.

    Raises:
        BundleError: onnxruntime refuses the graph.
        MachineError: The processor lacks instructions that are needed.
    """
    require_instructions(cpuinfo)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.enable_cpu_mem_arena = False
    options.add_session_config_entry("session.intra_op.spin_duration_us", _SPIN)
    options.add_session_config_entry("session.force_spinning_stop", "1")
    if not sums_exactly(read_processor(cpuinfo)):
        options.add_session_config_entry("session.x64quantprecision", "1")
    try:
        with _CREATING:
            return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own classes have no common base
        raise BundleError("onnxruntime refuses the graph.", where=graph, why=error) from error


def sums_exactly(processor: Processor) -> bool:
    """Whether a processor adds up products of unsigned and signed bytes without saturating.

    An x86 without VNNI adds them in 16 bits. onnxruntime can then turn signed weights into unsigned ones, which
    is slower and exact; where it need not, that would cost the AMX kernels too. Other CPUs ignore that setting.
    """
    return not _EXACT.isdisjoint(processor.features)
