"""Weights in 8 or 4 bits: block-wise MatMulNBits, with one copy of a tied embedding.

Activations are quantized row by row at run time (accuracy level 4), so an answer does not depend on what
else is in a batch. Does not know parity or bundles.
"""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import onnx
from onnx import GraphProto, ModelProto, NodeProto, helper, numpy_helper

from .rounding import BLOCK, round_blocks

__all__ = ["BITS", "quantize"]

BITS = {"int8": 8, "int4": 4}
_FAST = 4  # MatMulNBits accuracy level: int8 arithmetic; without it weights are unpacked to fp32, at half the speed


def quantize(source: Path, target: Path, form: str, vocabulary_size: int) -> None:
    """Quantize every constant matrix product and the token embedding of a graph.

    Args:
        source: The fp32 graph.
        target: The new graph; weights go beside it as ``NAME.data``.
        form: A key of ``BITS``.
        vocabulary_size: Tells the token embedding from other tables.
    """
    model = onnx.load(source)
    _gemm_to_matmul(model.graph)
    tied = _fold_transposed(model.graph)
    model = _quantize_products(model, BITS[form])
    for gather in _embeddings(model.graph, vocabulary_size):
        _quantize_embedding(model.graph, gather, tied.get(gather.input[0]), BITS[form])
    _drop_unused(model.graph)
    onnx.save_model(model, target, save_as_external_data=True, location=f"{target.name}.data", size_threshold=1024)


def _quantize_products(model: ModelProto, bits: int) -> ModelProto:
    from onnxruntime.quantization.matmul_nbits_quantizer import DefaultWeightOnlyQuantConfig, MatMulNBitsQuantizer

    config = DefaultWeightOnlyQuantConfig(block_size=BLOCK, is_symmetric=True, accuracy_level=_FAST, bits=bits)
    quantizer = MatMulNBitsQuantizer(model, algo_config=config)
    disabled = logging.root.manager.disable
    logging.disable(logging.INFO)  # it lists every node
    try:
        quantizer.process()
    finally:
        logging.disable(disabled)
    quantized: ModelProto = quantizer.model.model
    return quantized


def _gemm_to_matmul(graph: GraphProto) -> None:
    """Plain Gemm (GPT-2's) as MatMul and Add, the only product that is quantized."""
    for place, node in reversed(list(enumerate(graph.node))):
        options = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
        plain = options.get("alpha", 1.0) == options.get("beta", 1.0) == 1.0 and not options.get("transA")
        if node.op_type != "Gemm" or not plain or options.get("transB") or len(node.input) != 3:
            continue
        product = f"{node.output[0]}_product"
        graph.node.remove(node)
        graph.node.insert(place, helper.make_node("Add", [product, node.input[2]], node.output))
        graph.node.insert(place, helper.make_node("MatMul", node.input[:2], [product], name=node.name))


def _fold_transposed(graph: GraphProto) -> dict[str, str]:
    """Replace transposes of constants by constants; returns the constant's name to the transposed one's."""
    constants = {tensor.name: tensor for tensor in graph.initializer}
    folded: dict[str, str] = {}
    for node in list(graph.node):
        if node.op_type == "Transpose" and node.input[0] in constants:
            values = numpy_helper.to_array(constants[node.input[0]])
            if values.ndim == 2:
                transposed = np.ascontiguousarray(values.T)
                graph.initializer.append(numpy_helper.from_array(transposed, node.output[0]))
                graph.node.remove(node)
                folded[node.input[0]] = node.output[0]
    return folded


def _embeddings(graph: GraphProto, vocabulary_size: int) -> list[NodeProto]:
    """Gathers from a constant with a row for each token, whose rows can be cut into blocks."""
    shapes = {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    return [
        node
        for node in graph.node
        if node.op_type == "Gather"
        and len(shape := shapes.get(node.input[0], [])) == 2
        and shape[0] == vocabulary_size
        and shape[1] % BLOCK == 0
    ]


def _quantize_embedding(graph: GraphProto, gather: NodeProto, transposed: str | None, bits: int) -> None:
    """Look tokens up in quantized rows: the tied head's where there is one, else their own."""
    name = gather.input[0]
    place = list(graph.node).index(gather)
    constants = {tensor.name: tensor for tensor in graph.initializer}
    rows, width = constants[name].dims
    head, zeros = _quantized_product(graph, transposed), list[str]()
    if head is not None:
        weight, scale = f"{name}_rows", f"{name}_row_scales"
        shapes = {weight: [rows, width * bits // 8], scale: [rows, width // BLOCK]}
        for output, source in zip(shapes, head.input[1:3], strict=True):
            shape = numpy_helper.from_array(np.array(shapes[output], np.int64), f"{output}_shape")
            graph.initializer.append(shape)
            graph.node.insert(place, helper.make_node("Reshape", [source, shape.name], [output]))
            place += 1
    else:
        weight, scale = f"{name}_quantized", f"{name}_scales"
        found = round_blocks(numpy_helper.to_array(constants[name]), bits)
        levels = found.levels.reshape(rows, -1)
        graph.initializer.append(numpy_helper.from_array(levels, weight))
        graph.initializer.append(numpy_helper.from_array(found.scales, scale))
        if found.zeros is not None:
            zeros = [f"{name}_zeros"]
            graph.initializer.append(numpy_helper.from_array(found.zeros, *zeros))
    graph.node.remove(gather)
    lookup = helper.make_node(
        "GatherBlockQuantized",
        [weight, gather.input[1], scale, *zeros],
        gather.output,
        name=gather.name,
        domain="com.microsoft",
        bits=bits,
        block_size=BLOCK,
        gather_axis=0,
        quantize_axis=1,
    )
    graph.node.insert(place, lookup)


def _quantized_product(graph: GraphProto, constant: str | None) -> NodeProto | None:
    """The MatMulNBits that a constant became, by the name the quantizer gives its weight."""
    if constant is None:
        return None
    return next(
        (node for node in graph.node if node.op_type == "MatMulNBits" and node.input[1].startswith(f"{constant}_")),
        None,
    )


def _drop_unused(graph: GraphProto) -> None:
    used = {name for node in graph.node for name in node.input}
    for tensor in [tensor for tensor in graph.initializer if tensor.name not in used]:
        graph.initializer.remove(tensor)
