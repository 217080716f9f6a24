"""LLaMA and its kin (Mistral, Qwen2, Qwen3): RMSNorm, rotary positions, gated SiLU.

They differ in biases and in norms of the heads, which are read off the model. Does not know numeric forms.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import onnx_ir as ir
import torch
from numpy.typing import NDArray

from .decoder import Attention, DecoderGraph
from .forms import Form
from .graph import CONTRIB
from .modules import array, packed

__all__ = ["assemble", "refusal"]

_ROTATIONS = {"default", "linear", "llama3", "yarn"}  # those whose angles do not depend on the prompt's length


def refusal(config: Any) -> str | None:
    """What of a model's config the graph can't express; None where it can all of it."""
    scaling = getattr(config, "rope_scaling", None) or {}
    rotation = scaling.get("rope_type") or scaling.get("type") or "default"
    window = getattr(config, "sliding_window", None) if getattr(config, "use_sliding_window", True) else None
    if config.hidden_act != "silu":
        return f"its activation is {config.hidden_act}, not silu"
    if rotation not in _ROTATIONS:
        return f"its rotary positions are scaled by {rotation!r}"
    if getattr(config, "partial_rotary_factor", 1.0) != 1.0:
        return "only a part of each head is rotated"
    if window is not None:
        return f"its attention slides over a window of {window} tokens"
    return None


def assemble(model: Any, graph: DecoderGraph, form: Form) -> ir.Value:
    """The model's operators and weights; returns the logits."""
    config, body = model.config, model.model
    shape, epsilon = _attention(config, body), config.rms_norm_eps

    def product(name: str, value: ir.Value, *layers: Any) -> ir.Value:
        weight, bias = packed(*layers)
        return form.layer(graph, name, weight, layers[0]).product(value, bias)

    table = form.head(graph, "embedding", array(body.embed_tokens.weight))
    residual = table.rows(graph.ids)
    norms = _norms(body)
    value = graph.rms_norm("layers.0.norm", residual, next(norms), epsilon)
    for place, layer in enumerate(body.layers):
        name, attention, gated = f"layers.{place}", layer.self_attn, layer.mlp
        value = product(f"{name}.queries_keys_values", value, attention.q_proj, attention.k_proj, attention.v_proj)
        value = graph.attention(place, shape, *_heads(graph, name, value, shape, attention))
        if layer is body.layers[-1]:  # from here on each place is on its own
            value, residual = graph.wanted(value), graph.wanted(residual)
        value = product(f"{name}.attention_output", value, attention.o_proj)
        value, residual = graph.add_rms_norm(f"{name}.middle_norm", value, residual, next(norms), epsilon)
        value = product(f"{name}.gate_up", value, gated.gate_proj, gated.up_proj)
        value = product(f"{name}.down", _gate(graph, value, config.intermediate_size), gated.down_proj)
        value, residual = graph.add_rms_norm(f"{name}.last_norm", value, residual, next(norms), epsilon)
    tied = model.lm_head.weight is body.embed_tokens.weight
    head = table if tied else form.head(graph, "head", array(model.lm_head.weight))
    return head.product(value, None if model.lm_head.bias is None else array(model.lm_head.bias))


def _attention(config: Any, body: Any) -> Attention:
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    places = torch.arange(config.max_position_embeddings)[None]
    with torch.inference_mode():
        cosines, sines = body.rotary_emb(torch.zeros(1), places)  # [1, context, head_size], each half the same
    return Attention(
        heads=config.num_attention_heads,
        key_value_heads=config.num_key_value_heads,
        head_size=size,
        rotary=(array(cosines[0, :, : size // 2]), array(sines[0, :, : size // 2])),
    )


def _norms(body: Any) -> Iterator[NDArray[np.float32]]:
    """The norms' weights in the order of their use."""
    for layer in body.layers:
        yield array(layer.input_layernorm.weight)
        yield array(layer.post_attention_layernorm.weight)
    yield array(body.norm.weight)


def _heads(graph: DecoderGraph, name: str, value: ir.Value, shape: Attention, attention: Any) -> Sequence[ir.Value]:
    """Queries, keys and values side by side; apart where the model normalizes each head, as Qwen3 does."""
    if not hasattr(attention, "q_norm"):
        return [value]
    keys = shape.key_value_heads * shape.head_size
    *rotated, values = graph.split(value, shape.heads * shape.head_size, keys, keys)
    normed = []
    for part, each, norm in zip(("queries", "keys"), rotated, (attention.q_norm, attention.k_norm), strict=True):
        heads = graph.reshape(each, 0, 0, -1, shape.head_size)
        weight = array(norm.weight)
        heads = graph.rms_norm(f"{name}.{part}_norm", heads, weight, norm.variance_epsilon)
        normed.append(graph.reshape(heads, 0, 0, -1))
    return [*normed, values]


def _gate(graph: DecoderGraph, packed_value: ir.Value, width: int) -> ir.Value:
    """The first half's SiLU times the second half."""
    gate, up = graph.split(packed_value, width, width)
    return graph.op("Mul", [graph.op("QuickGelu", [gate], {"alpha": 1.0}, domain=CONTRIB), up])
