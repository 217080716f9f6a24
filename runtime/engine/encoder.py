"""An encoder's graph: token ids in, one embedding for each text out.

The contract: ``input_ids`` and ``attention_mask`` [B, T] int64, where 0 marks what only fills a shorter text up, and
``token_type_ids`` of zeros where the graph has it; out comes ``embeddings`` [B, H] fp32, each the mean of its text's
tokens with length 1. Does not know text.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import BundleError
from .session import load_session

__all__ = ["Embeddings", "Encoder"]

Embeddings = NDArray[np.float32]

_NEEDED = {"input_ids", "attention_mask"}
_OUTPUT = "embeddings"
_PLACES = 2048  # B times T of one call at most, unless a single text has more


class Encoder:
    """Embeds texts with a bundle's graph. Safe for many threads.

    Args:
        graph: The ``.onnx`` file.
        threads: Threads of one call.

    Raises:
        BundleError: onnxruntime refuses the graph, or it is not an encoder.
    """

    def __init__(self, graph: Path, *, threads: int) -> None:
        self._session = load_session(graph, threads=threads)
        self._inputs = {value.name for value in self._session.get_inputs()}
        outputs = {value.name: value.shape for value in self._session.get_outputs()}
        if not _NEEDED <= self._inputs <= _NEEDED | {"token_type_ids"} or _OUTPUT not in outputs:
            raise BundleError("The graph is not an encoder.", where=graph)
        self.size: int = outputs[_OUTPUT][-1]

    def embed(self, texts: Sequence[Sequence[int]]) -> Embeddings:
        """Embeddings ``[N, H]`` of texts, each given as its ids; texts of like length are read together."""
        found = np.zeros((len(texts), self.size), np.float32)
        left = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        while left:
            longest = len(texts[left[-1]])
            count = max(1, _PLACES // max(1, longest))
            left, batch = left[:-count], left[-count:]
            if longest:
                found[batch] = self._embed([texts[place] for place in batch], longest)
        return found

    def _embed(self, texts: Sequence[Sequence[int]], longest: int) -> Embeddings:
        ids = np.zeros((len(texts), longest), np.int64)
        mask = np.zeros_like(ids)
        for row, text in enumerate(texts):
            ids[row, : len(text)], mask[row, : len(text)] = text, 1
        feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        result: Embeddings = self._session.run([_OUTPUT], {name: feeds[name] for name in self._inputs})[0]
        return result
