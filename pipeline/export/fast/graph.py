"""A graph being assembled, and the operators that families share; weights go straight to a file beside it.

Does not know what goes in and comes out, models, or numeric forms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

__all__ = ["CONTRIB", "PAGE", "GraphBuilder", "declared"]

CONTRIB = "com.microsoft"
"""The domain of onnxruntime's own operators."""
PAGE = 4096
"""Bytes; onnxruntime maps weights into memory from whole pages."""
_OPSETS = {"": 21, CONTRIB: 1}
_IR_VERSION = 10
_INLINE = 1024  # bytes; smaller tensors stand in the graph itself


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
        self._inputs: list[ir.Value] = []
        self._outputs: list[ir.Value] = []
        self._zero_levels: ir.Value | None = None

    def input(self, name: str, kind: ir.DataType, *shape: int | str) -> ir.Value:
        """What the graph is fed."""
        self._inputs.append(declared(name, kind, *shape))
        return self._inputs[-1]

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
                    stream.write(bytes(-stream.tell() % PAGE))
                    offset = stream.tell()
                    stream.write(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
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

    def zero_level(self, scales: ir.Value) -> tuple[ir.Value, ir.Value]:
        """The level that is 0, alone and for each row: ``[B, T, 1]``, as the scales of rows are.

        Levels are unsigned: onnxruntime's product of two signed matrices takes ten times as long. All products read as
        many rows, so the levels of one are those of all.
        """
        zero = self.store("zero", np.array(128, np.uint8))
        if self._zero_levels is None:
            self._zero_levels = self.op("Expand", [zero, self.op("Shape", [scales])])
        return zero, self._zero_levels

    def split(self, value: ir.Value, *sizes: int) -> Sequence[ir.Value]:
        """``[B, T, N]`` cut into pieces of these sizes along its last axis."""
        lengths = self.store(f"sizes.{sizes}", np.array(sizes))
        return self._tape.op_multi_out("Split", [value, lengths], {"axis": -1}, num_outputs=len(sizes))

    def reshape(self, value: ir.Value, *shape: int) -> ir.Value:
        """Another shape; 0 keeps an axis, -1 is what is left."""
        return self.op("Reshape", [value, self.store(f"shape.{shape}", np.array(shape))])

    def save(self, name: str, value: ir.Value, *shape: int | str) -> None:
        """Write the graph, which makes this fp32 value, by this name, before all other outputs."""
        value.name, value.dtype, value.shape = name, ir.DataType.FLOAT, ir.Shape(shape)
        graph = ir.Graph(
            self._inputs,
            [value, *self._outputs],
            nodes=self._tape.nodes,
            initializers=self._tape.initializers,
            opset_imports=_OPSETS,
            name="attar",
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


def declared(name: str, kind: ir.DataType, *shape: int | str) -> ir.Value:
    """A value of the graph with a name, a type and a shape, as inputs and outputs have."""
    return ir.val(name, dtype=kind, shape=shape)
