"""Ways to keep a weight in a graph, each with the operators that read it: as a product, or as rows of a table.

One stored weight serves both, so a tied embedding stands in the file once. Products quantize their input as they
run. Does not know which weight of a model it is.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import onnx_ir as ir
from ml_dtypes import bfloat16
from numpy.typing import NDArray

from ..rounding import BLOCK, round_blocks, round_channels, round_compensated
from .graph import CONTRIB, GraphBuilder

__all__ = ["Blocks", "Channels", "Floats", "Keep", "Stored"]

_INT8_ARITHMETIC = 4  # MatMulNBits' accuracy level; without it weights are unpacked to fp32, at half the speed


class Stored(Protocol):
    """A weight ``[N, K]`` in a graph."""

    def product(self, value: ir.Value, bias: NDArray[np.float32] | None = None) -> ir.Value:
        """``[B, T, K]`` times the weight's transpose, plus a bias ``[N]``: ``[B, T, N]``."""

    def rows(self, ids: ir.Value) -> ir.Value:
        """Rows of the weight by their ids ``[B, T]``: ``[B, T, K]``."""


class Keep(Protocol):
    """Stores a weight under a name; ``moments`` ``[K, K]`` tell of the inputs that it will meet, where it is known."""

    def __call__(
        self, graph: GraphBuilder, name: str, weight: NDArray[np.float32], moments: NDArray[np.float32] | None = None
    ) -> Stored: ...


class Floats:
    """fp32, as it is."""

    def __init__(
        self, graph: GraphBuilder, name: str, weight: NDArray[np.float32], moments: NDArray[np.float32] | None = None
    ) -> None:
        self._graph, self._name = graph, name
        self._weight = graph.store(f"{name}.weight", weight)

    def product(self, value: ir.Value, bias: NDArray[np.float32] | None = None) -> ir.Value:
        inputs, options = [value, self._weight], {"transB": 1}
        product = self._graph.op("FusedMatMul", inputs, options, domain=CONTRIB, name=self._name)
        if bias is None:
            return product
        return self._graph.op("Add", [product, self._graph.store(f"{self._name}.bias", bias)])

    def rows(self, ids: ir.Value) -> ir.Value:
        return self._graph.op("Gather", [self._weight, ids], name=f"{self._name}.rows")


class Blocks:
    """8 or 4 bits, a scale for each block. Inputs are rounded block by block, each row for itself.

    4 bits make up for their errors on inputs like those that ``moments`` tell of.
    """

    def __init__(
        self,
        graph: GraphBuilder,
        name: str,
        weight: NDArray[np.float32],
        moments: NDArray[np.float32] | None = None,
        *,
        bits: int,
        block: int = BLOCK,
    ) -> None:
        self._graph, self._name, self._weight, self._bits = graph, name, weight, bits
        if bits == 8 or moments is None:
            found = round_blocks(weight, bits, wanted=block)
        else:
            found = round_compensated(weight, moments, wanted=block)
        self._block = found.block
        self._levels = graph.store(f"{name}.levels", found.levels)
        self._scales = self._kept(found.scales)
        self._zeros = None if found.zeros is None else graph.store(f"{name}.zeros", found.zeros)

    def product(self, value: ir.Value, bias: NDArray[np.float32] | None = None) -> ir.Value:
        inputs: list[ir.Value | None] = [value, self._levels, self._scales, self._zeros]
        if bias is not None:
            inputs += [None, self._graph.store(f"{self._name}.bias", bias)]
        outputs, width = self._weight.shape
        options = {"N": outputs, "K": width, "bits": self._bits, "block_size": self._block}
        options["accuracy_level"] = _INT8_ARITHMETIC
        return self._graph.op("MatMulNBits", inputs, options, domain=CONTRIB, name=self._name)

    def _kept(self, scales: NDArray[np.float32]) -> ir.Value:
        """Those of 4 bits, a fifth of a weight's bytes in fp32, in bfloat16; they are cast when the graph is loaded."""
        name = f"{self._name}.scales"
        if self._bits == 8:
            return self._graph.store(name, scales)
        return self._graph.op("Cast", [self._graph.store(name, scales.astype(bfloat16))], {"to": ir.DataType.FLOAT})

    def rows(self, ids: ir.Value) -> ir.Value:
        count, width = self._weight.shape
        name = f"{self._name}.rows"
        if width % self._block:  # the lookup reads whole blocks only
            return self._graph.op("Gather", [self._graph.store(f"{name}.weight", self._weight), ids], name=name)
        levels = self._graph.view(f"{name}.levels", self._levels, (count, width * self._bits // 8))
        options = {"bits": self._bits, "block_size": self._block, "gather_axis": 0, "quantize_axis": 1}
        inputs = [levels, ids, self._scales, self._zeros]
        return self._graph.op("GatherBlockQuantized", inputs, options, domain=CONTRIB, name=name)


class Channels:
    """Signed 8 bits, a scale for each output. Inputs are rounded row by row, each with a scale of its own.

    The integer product uses AMX and VNNI, where a prompt is read several times faster than with ``Blocks``. One scale
    for all rows (DynamicQuantizeMatMul) takes a tenth less time, and errs five times as far: a token with large values
    would take the precision of all others, those of other answers in the batch among them.
    """

    def __init__(
        self, graph: GraphBuilder, name: str, weight: NDArray[np.float32], moments: NDArray[np.float32] | None = None
    ) -> None:
        self._graph, self._name = graph, name
        levels, scales = round_channels(weight)
        self._width = weight.shape[1]
        self._levels = graph.store(f"{name}.levels", levels)
        self._scales = graph.store(f"{name}.scales", scales)

    def product(self, value: ir.Value, bias: NDArray[np.float32] | None = None) -> ir.Value:
        step, last_axis = self._constants()
        largest = self._graph.op("ReduceMax", [self._graph.op("Abs", [value]), last_axis], {"keepdims": 1})
        scale = self._graph.op("Mul", [largest, step])
        zero, zeros = self._graph.zero_level(scale)
        # A row of zeros is some level here, and zeros again once it is multiplied by its scale.
        rounded = self._graph.op("QuantizeLinear", [value, scale, zeros], {"axis": -1, "block_size": self._width})
        columns = self._graph.op("Transpose", [self._levels], {"perm": [1, 0]})  # done once, when the graph is loaded
        inputs = [rounded, columns, self._graph.store("unit", np.array(1, np.float32)), self._scales, zero]
        product = self._graph.op("MatMulIntegerToFloat", inputs, domain=CONTRIB, name=self._name)
        product = self._graph.op("Mul", [product, scale])
        if bias is None:
            return product
        return self._graph.op("Add", [product, self._graph.store(f"{self._name}.bias", bias)])

    def rows(self, ids: ir.Value) -> ir.Value:
        levels = self._graph.op("Gather", [self._levels, ids], name=f"{self._name}.rows")
        scales = self._graph.op("Unsqueeze", [self._graph.op("Gather", [self._scales, ids]), self._constants()[1]])
        return self._graph.op("Mul", [self._graph.op("Cast", [levels], {"to": ir.DataType.FLOAT}), scales])

    def _constants(self) -> tuple[ir.Value, ir.Value]:
        """One level of a row whose largest value is 1, and the last axis."""
        step = self._graph.store("level", np.array(1 / 127, np.float32))
        return step, self._graph.store("last_axis", np.array([-1]))
