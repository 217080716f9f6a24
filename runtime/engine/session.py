"""One decoder graph on onnxruntime: token ids and a KV cache in, logits and a longer cache out.

Reads the form that Optimum exports (``past_key_values.N.key`` in, ``present.N.key`` out). Cache tensors
stay with onnxruntime and are never copied to numpy. Safe for many threads: each call owns its cache.
Does not know sampling or stops.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime import OrtValue

from ..bundle import Architecture
from ..errors import BundleError

__all__ = ["Cache", "DecoderSession"]

_CREATING = threading.Lock()  # creating two sessions at once is not safe (onnxruntime#27089)


@dataclass(frozen=True)
class Cache:
    """Keys and values of the tokens seen so far, by the graph's input names."""

    tensors: dict[str, OrtValue]
    length: int


class DecoderSession:
    """A loaded graph.

    Args:
        graph: The ``.onnx`` file.
        architecture: The shape that the graph should have.
        threads: Threads of one call.
        spinning: Whether idle threads spin; faster in a process of its own, rude in somebody else's.

    Raises:
        BundleError: onnxruntime refuses the graph, or its inputs are not those of a decoder.
    """

    def __init__(self, graph: Path, architecture: Architecture, *, threads: int, spinning: bool) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.enable_cpu_mem_arena = False
        options.add_session_config_entry("session.intra_op.allow_spinning", str(int(spinning)))
        try:
            with _CREATING:
                self._session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own classes have no common base
            raise BundleError("onnxruntime refuses the graph.", where=graph, why=error) from error
        self._architecture = architecture
        inputs = [value.name for value in self._session.get_inputs()]
        self._outputs = [value.name for value in self._session.get_outputs()]
        self._past = [name for name in inputs if name.startswith("past_key_values.")]
        self._takes_positions = "position_ids" in inputs
        if "logits" not in self._outputs or len(self._past) != 2 * architecture.layers:
            raise BundleError("The graph is not the decoder that the manifest describes.", where=graph)

    def empty_cache(self, rows: int = 1) -> Cache:
        """A cache of no tokens."""
        shape = (rows, self._architecture.key_value_heads, 0, self._architecture.head_size)
        return Cache({name: OrtValue.ortvalue_from_numpy(np.zeros(shape, np.float32)) for name in self._past}, 0)

    def forward(self, ids: Sequence[int], cache: Cache) -> tuple[NDArray[np.float32], Cache]:
        """Logits ``[T, V]`` after each of the ``T`` ids, and the cache with them appended."""
        end = cache.length + len(ids)
        feeds = {
            **cache.tensors,
            "input_ids": _value(np.asarray([ids], np.int64)),
            "attention_mask": _value(np.ones((1, end), np.int64)),
        }
        if self._takes_positions:
            feeds["position_ids"] = _value(np.arange(cache.length, end, dtype=np.int64)[None])
        results = dict(zip(self._outputs, self._session.run_with_ort_values(self._outputs, feeds), strict=True))
        logits: NDArray[np.float32] = results["logits"].numpy()[0]
        tensors = {name: results[name.replace("past_key_values", "present")] for name in self._past}
        return logits, Cache(tensors, end)


def _value(array: NDArray[np.int64]) -> OrtValue:
    return OrtValue.ortvalue_from_numpy(array)
