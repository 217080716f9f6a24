"""A decoder's graph being assembled, by the contract in ``runtime/engine/fast.py``.

Shapes: B rows, T tokens read now, R of them whose logits are wanted. Does not know models or numeric forms.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from .graph import CONTRIB, GraphBuilder, declared

__all__ = ["Attention", "DecoderGraph"]

_END = np.iinfo(np.int64).max
_NO_SINK = np.finfo(np.float32).min
"""A sink of each head, whose share of the softmax is exp of it: nothing. Heads with sinks are computed as one product
over all keys, others in tiles (onnxruntime 1.32), which takes twice as long for pieces of 256 tokens."""


@dataclass(frozen=True)
class Attention:
    """What all layers' attention shares.

    Attributes:
        heads: Of the queries.
        key_value_heads: Of keys and values.
        head_size: Width of each.
        rotary: Cosines and sines ``[context, head_size / 2]``; None where positions are not rotated in.
    """

    heads: int
    key_value_heads: int
    head_size: int
    rotary: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None


class DecoderGraph(GraphBuilder):
    """See :class:`GraphBuilder`.

    Attributes:
        ids: Token ids ``[B, T]``.
        last_places: The place of each row's last token ``[B]``.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.ids = self.input("input_ids", ir.DataType.INT64, "B", "T")
        self.last_places = self.input("seqlens_k", ir.DataType.INT32, "B")
        self._total = self.input("total_sequence_length", ir.DataType.INT32, 1)
        self._logits_from = self.input("logits_from", ir.DataType.INT64, 1)

    def attention(
        self,
        layer: int,
        shape: Attention,
        queries: ir.Value,
        keys: ir.Value | None = None,
        values: ir.Value | None = None,
    ) -> ir.Value:
        """Causal attention over the layer's cache, which takes up the new keys and values in place.

        Args:
            layer: Which layer.
            shape: See there.
            queries: ``[B, T, heads * head_size]``, or queries, keys and values side by side.
            keys: ``[B, T, KV * head_size]``, where they do not stand beside the queries.
            values: The same.
        """
        cache = ("B", shape.key_value_heads, "capacity", shape.head_size)
        past = [declared(f"past_key_values.{layer}.{part}", ir.DataType.FLOAT, *cache) for part in ("key", "value")]
        present = [declared(f"present.{layer}.{part}", ir.DataType.FLOAT, *cache) for part in ("key", "value")]
        inputs = [queries, keys, values, *past, self.last_places, self._total]
        options: dict[str, Any] = {"num_heads": shape.heads, "kv_num_heads": shape.key_value_heads}
        if shape.rotary:
            cosines, sines = shape.rotary
            inputs += [self.store("rotary.cosines", cosines), self.store("rotary.sines", sines)]
            options["do_rotary"] = 1
        else:
            inputs += [None, None]
        inputs += [None, None, self.store("no_sink", np.full(shape.heads, _NO_SINK))]
        result = ir.Value(name=f"layers.{layer}.attended")
        self._tape.op_multi_out(
            "GroupQueryAttention",
            inputs,
            options,
            domain=CONTRIB,
            outputs=[result, *present],
            name=f"layers.{layer}.attention",
        )
        self._inputs += past
        self._outputs += present
        return result

    def wanted(self, value: ir.Value) -> ir.Value:
        """Of ``[B, T, H]`` the places whose logits are wanted: ``[B, R, H]``, as many as later products read."""
        self._zero_levels = None
        ends, axes = self.store("end", np.array([_END])), self.store("token_axis", np.array([1]))
        return self.op("Slice", [value, self._logits_from, ends, axes])

    def places(self) -> ir.Value:
        """The places ``[B, T]`` of the tokens read now."""
        one, axis = self.store("one", np.array(1, np.int32)), self.store("token_axis", np.array([1]))
        count = self.op("Cast", [self.op("Shape", [self.ids], {"start": 1, "end": 2})], {"to": ir.DataType.INT32})
        before_last = self.op("Range", [self.op("Sub", [one, self.op("Squeeze", [count])]), one, one])
        return self.op("Add", [self.op("Unsqueeze", [self.last_places, axis]), before_last])
