"""GPT-2: LayerNorm, learned positions, GELU. Does not know numeric forms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from .decoder import Attention, DecoderGraph
from .forms import Form
from .graph import CONTRIB
from .modules import array

__all__ = ["assemble", "refusal"]

_ACTIVATIONS = {"gelu_new", "gelu_pytorch_tanh"}


def refusal(config: Any) -> str | None:
    """What of a model's config the graph can't express; None where it can all of it."""
    if config.activation_function not in _ACTIVATIONS:
        return f"its activation is {config.activation_function}, not gelu_new"
    if not config.scale_attn_weights or config.scale_attn_by_inverse_layer_idx:
        return "its attention is scaled otherwise"
    if config.add_cross_attention:
        return "it attends to an encoder"
    return None


def assemble(model: Any, graph: DecoderGraph, form: Form) -> ir.Value:
    """The model's operators and weights; returns the logits."""
    config, body = model.config, model.transformer
    heads = config.num_attention_heads
    shape = Attention(heads, heads, config.hidden_size // heads)
    table = form.head(graph, "embedding", array(body.wte.weight))
    positions = graph.store("positions", array(body.wpe.weight))
    residual = graph.op("Gather", [positions, graph.places()])
    value, norms = table.rows(graph.ids), _norms(body)
    value, residual = graph.add_layer_norm("layers.0.norm", value, residual, *next(norms))
    for place, layer in enumerate(body.h):
        name = f"layers.{place}"
        value = _linear(graph, form, f"{name}.queries_keys_values", value, layer.attn.c_attn)
        value = graph.attention(place, shape, value)
        if layer is body.h[-1]:  # from here on each place is on its own
            value, residual = graph.wanted(value), graph.wanted(residual)
        value = _linear(graph, form, f"{name}.attention_output", value, layer.attn.c_proj)
        value, residual = graph.add_layer_norm(f"{name}.middle_norm", value, residual, *next(norms))
        value = _linear(graph, form, f"{name}.up", value, layer.mlp.c_fc)
        value = graph.op("FastGelu", [value], domain=CONTRIB)
        value = _linear(graph, form, f"{name}.down", value, layer.mlp.c_proj)
        value, residual = graph.add_layer_norm(f"{name}.last_norm", value, residual, *next(norms))
    tied = model.lm_head.weight is body.wte.weight
    head = table if tied else form.head(graph, "head", array(model.lm_head.weight))
    return head.product(value)


def _linear(graph: DecoderGraph, form: Form, name: str, value: ir.Value, layer: Any) -> ir.Value:
    """GPT-2 keeps its weights the other way round, ``[K, N]``."""
    return form.layer(graph, name, array(layer.weight.T), layer).product(value, array(layer.bias))


def _norms(body: Any) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32], float]]:
    """Weight, bias and epsilon of the norms in the order of their use."""
    for norm in [*(norm for layer in body.h for norm in (layer.ln_1, layer.ln_2)), body.ln_f]:
        yield array(norm.weight), array(norm.bias), norm.eps
