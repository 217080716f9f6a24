"""A graph being assembled, and the operators that families share; weights go straight to a file beside it.

Shapes: B rows, T tokens read now, R of them whose logits are wanted. The inputs and outputs are those of the
contract in ``runtime/engine/fast.py``. Does not know models or numeric forms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

__all__ = ["CONTRIB", "Attention", "GraphBuilder"]

CONTRIB = "com.microsoft"
"""The domain of onnxruntime's own operators."""
_OPSETS = {"": 21, CONTRIB: 1}
_IR_VERSION = 10
_INLINE = 1024  # bytes; smaller tensors stand in the graph itself
_PAGE = 4096  # onnxruntime maps weights into memory from whole pages
_END = np.iinfo(np.int64).max


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


class GraphBuilder:
    """Collects operators, and writes weights as they come.

    Args:
        path: The graph's file; weights go beside it as ``NAME.data``.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._tape = path, ir.tape.Tape()
        self._data = path.with_name(f"{path.name}.data")
        self._data.write_bytes(b"")
        self._stored: dict[str, ir.Value] = {}
        self._outputs: list[ir.Value] = []
        self.ids = _input("input_ids", ir.DataType.INT64, "B", "T")
        self.last_places = _input("seqlens_k", ir.DataType.INT32, "B")
        self._total = _input("total_sequence_length", ir.DataType.INT32, 1)
        self._logits_from = _input("logits_from", ir.DataType.INT64, 1)
        self._inputs = [self.ids, self.last_places, self._total, self._logits_from]

    def op(
        self,
        kind: str,
        inputs: Sequence[ir.Value | None],
        options: Mapping[str, Any] | None = None,
        *,
        domain: str = "",
        name: str | None = None,
    ) -> ir.Value:
        """Add an operator with one output."""
        return self._tape.op(kind, inputs, options, domain=domain, name=name)

    def store(self, name: str, array: NDArray[Any]) -> ir.Value:
        """A constant; one that was stored under the same name already is that one."""
        if name not in self._stored:
            if array.nbytes < _INLINE:
                tensor: ir.TensorProtocol = ir.tensor(array, name=name)
            else:
                with self._data.open("ab") as stream:
                    stream.write(bytes(-stream.tell() % _PAGE))
                    offset = stream.tell()
                    stream.write(np.ascontiguousarray(array).data)
                tensor = self._external(name, offset, array.nbytes, ir.DataType.from_numpy(array.dtype), array.shape)
            self._stored[name] = self._tape.initializer(tensor)
        return self._stored[name]

    def view(self, name: str, stored: ir.Value, shape: Sequence[int]) -> ir.Value:
        """The bytes of a stored constant in another shape; they stand in the file once."""
        tensor = stored.const_value
        if isinstance(tensor, ir.ExternalTensor):
            if name not in self._stored:
                same = self._external(name, tensor.offset or 0, tensor.nbytes, tensor.dtype, shape)
                self._stored[name] = self._tape.initializer(same)
            return self._stored[name]
        assert tensor is not None
        return self.store(name, tensor.numpy().reshape(shape))

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
        past = [_input(f"past_key_values.{layer}.{part}", ir.DataType.FLOAT, *cache) for part in ("key", "value")]
        present = [_input(f"present.{layer}.{part}", ir.DataType.FLOAT, *cache) for part in ("key", "value")]
        inputs = [queries, keys, values, *past, self.last_places, self._total]
        options: dict[str, Any] = {"num_heads": shape.heads, "kv_num_heads": shape.key_value_heads}
        if shape.rotary:
            cosines, sines = shape.rotary
            inputs += [self.store("rotary.cosines", cosines), self.store("rotary.sines", sines)]
            options["do_rotary"] = 1
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

    def rms_norm(self, name: str, value: ir.Value, weight: NDArray[np.float32], epsilon: float) -> ir.Value:
        """RMSNorm."""
        inputs = [value, self.store(f"{name}.weight", weight)]
        return self.op("SimplifiedLayerNormalization", inputs, {"axis": -1, "epsilon": epsilon}, name=name)

    def add_rms_norm(
        self, name: str, value: ir.Value, residual: ir.Value, weight: NDArray[np.float32], epsilon: float
    ) -> tuple[ir.Value, ir.Value]:
        """RMSNorm of a sum; returns it, and the sum."""
        inputs = [value, residual, self.store(f"{name}.weight", weight)]
        return self._add_norm("SkipSimplifiedLayerNormalization", name, inputs, epsilon)

    def add_layer_norm(
        self,
        name: str,
        value: ir.Value,
        residual: ir.Value,
        weight: NDArray[np.float32],
        bias: NDArray[np.float32],
        epsilon: float,
    ) -> tuple[ir.Value, ir.Value]:
        """LayerNorm of a sum; returns it, and the sum."""
        inputs = [value, residual, self.store(f"{name}.weight", weight), self.store(f"{name}.bias", bias)]
        return self._add_norm("SkipLayerNormalization", name, inputs, epsilon)

    def wanted(self, value: ir.Value) -> ir.Value:
        """Of ``[B, T, H]`` the places whose logits are wanted: ``[B, R, H]``."""
        ends, axes = self.store("end", np.array([_END])), self.store("token_axis", np.array([1]))
        return self.op("Slice", [value, self._logits_from, ends, axes])

    def split(self, value: ir.Value, *sizes: int) -> Sequence[ir.Value]:
        """``[B, T, N]`` cut into pieces of these sizes along its last axis."""
        lengths = self.store(f"sizes.{sizes}", np.array(sizes))
        return self._tape.op_multi_out("Split", [value, lengths], {"axis": -1}, num_outputs=len(sizes))

    def reshape(self, value: ir.Value, *shape: int) -> ir.Value:
        """Another shape; 0 keeps an axis, -1 is what is left."""
        return self.op("Reshape", [value, self.store(f"shape.{shape}", np.array(shape))])

    def places(self) -> ir.Value:
        """The places ``[B, T]`` of the tokens read now."""
        one, axis = self.store("one", np.array(1, np.int32)), self.store("token_axis", np.array([1]))
        count = self.op("Cast", [self.op("Shape", [self.ids], {"start": 1, "end": 2})], {"to": ir.DataType.INT32})
        before_last = self.op("Range", [self.op("Sub", [one, self.op("Squeeze", [count])]), one, one])
        return self.op("Add", [self.op("Unsqueeze", [self.last_places, axis]), before_last])

    def save(self, logits: ir.Value, vocabulary_size: int) -> None:
        """Write the graph, which makes these logits ``[B, R, V]``."""
        logits.name, logits.dtype = "logits", ir.DataType.FLOAT
        logits.shape = ir.Shape(("B", "R", vocabulary_size))
        graph = ir.Graph(
            self._inputs,
            [logits, *self._outputs],
            nodes=self._tape.nodes,
            initializers=self._tape.initializers,
            opset_imports=_OPSETS,
            name="decoder",
        )
        ir.save(ir.Model(graph, ir_version=_IR_VERSION, producer_name="attar"), self._path)

    def _add_norm(self, kind: str, name: str, inputs: Sequence[ir.Value], epsilon: float) -> tuple[ir.Value, ir.Value]:
        norm, total = ir.Value(name=f"{name}.output"), ir.Value(name=f"{name}.sum")
        unused = [ir.Value(name=""), ir.Value(name="")]  # mean and inverse deviation
        self._tape.op_multi_out(
            kind, inputs, {"epsilon": epsilon}, domain=CONTRIB, outputs=[norm, *unused, total], name=name
        )
        return norm, total

    def _external(
        self, name: str, offset: int, length: int, kind: ir.DataType, shape: Sequence[int]
    ) -> ir.ExternalTensor:
        return ir.ExternalTensor(
            self._data.name, offset, length, kind, shape=ir.Shape(shape), name=name, base_dir=self._data.parent
        )


def _input(name: str, kind: ir.DataType, *shape: int | str) -> ir.Value:
    return ir.val(name, dtype=kind, shape=shape)
