"""An encoder's graph being assembled, by the contract in ``runtime/engine/encoder.py``.

Shapes: B texts, T tokens of the longest. Does not know models or numeric forms.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx_ir as ir

from .graph import CONTRIB, GraphBuilder

__all__ = ["EncoderGraph"]


class EncoderGraph(GraphBuilder):
    """See :class:`GraphBuilder`.

    Attributes:
        ids: Token ids ``[B, T]``.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.ids = self.input("input_ids", ir.DataType.INT64, "B", "T")
        self._mask = self.input("attention_mask", ir.DataType.INT64, "B", "T")
        self._padding = self.op("Cast", [self._mask], {"to": ir.DataType.INT32})

    def attention(self, name: str, heads: int, queries_keys_values: Sequence[ir.Value]) -> ir.Value:
        """Every token attends to every token of its text, ``[B, T, H]`` each."""
        inputs = [*queries_keys_values, None, self._padding]
        return self.op("MultiHeadAttention", inputs, {"num_heads": heads}, domain=CONTRIB, name=name)

    def places(self) -> ir.Value:
        """The places of the tokens, ``[T]``."""
        zero, one = self.store("zeroth", np.array(0)), self.store("one", np.array(1))
        count = self.op("Shape", [self.ids], {"start": 1, "end": 2})
        return self.op("Range", [zero, self.op("Squeeze", [count]), one])

    def pooled(self, value: ir.Value) -> ir.Value:
        """The mean of each text's tokens, ``[B, T, H]`` to ``[B, H]``, with length 1; so a sum is as good."""
        mask = self.op("Cast", [self._mask], {"to": ir.DataType.FLOAT})
        middle = self.store("middle_axis", np.array([1]))
        total = self.op("Squeeze", [self.op("MatMul", [self.op("Unsqueeze", [mask, middle]), value]), middle])
        return self.op("LpNormalization", [total], {"axis": -1, "p": 2})
