"""BERT: learned positions, LayerNorm after each sum, GELU. Does not know numeric forms."""

from __future__ import annotations

from typing import Any

import onnx_ir as ir

from .encoder import EncoderGraph
from .forms import Form
from .graph import CONTRIB
from .modules import array, packed

__all__ = ["assemble", "refusal"]


def refusal(config: Any) -> str | None:
    """What of a model's config the graph can't express; None where it can all of it."""
    if config.hidden_act != "gelu":
        return f"its activation is {config.hidden_act}, not gelu"
    if getattr(config, "position_embedding_type", "absolute") != "absolute":
        return f"its positions are {config.position_embedding_type}, not absolute"
    if config.is_decoder:
        return "it is a decoder"
    return None


def assemble(model: Any, graph: EncoderGraph, form: Form) -> ir.Value:
    """The model's operators and weights; returns the embeddings."""
    config, start = model.config, model.embeddings

    def product(name: str, value: ir.Value, *layers: Any) -> ir.Value:
        weight, bias = packed(*layers)
        return form.layer(graph, name, weight, layers[0]).product(value, bias)

    def sum_norm(name: str, value: ir.Value, residual: ir.Value, norm: Any) -> ir.Value:
        return graph.add_layer_norm(name, value, residual, array(norm.weight), array(norm.bias), norm.eps)[0]

    words = form.head(graph, "embedding", array(start.word_embeddings.weight)).rows(graph.ids)
    first_type = start.token_type_embeddings.weight[0]  # every token is of the first: one text, not a pair of them
    positions = graph.store("positions", array(start.position_embeddings.weight + first_type))
    value = sum_norm("norm", words, graph.op("Gather", [positions, graph.places()]), start.LayerNorm)
    for place, layer in enumerate(model.encoder.layer):
        name, attention, own = f"layers.{place}", layer.attention, layer.attention.self
        heads = product(f"{name}.queries_keys_values", value, own.query, own.key, own.value)
        parts = graph.split(heads, *[config.hidden_size] * 3)
        attended = graph.attention(f"{name}.attention", config.num_attention_heads, parts)
        attended = product(f"{name}.attention_output", attended, attention.output.dense)
        value = sum_norm(f"{name}.middle_norm", attended, value, attention.output.LayerNorm)
        wide = product(f"{name}.up", value, layer.intermediate.dense)
        wide = graph.op("Gelu", [wide], domain=CONTRIB)
        value = sum_norm(
            f"{name}.last_norm", product(f"{name}.down", wide, layer.output.dense), value, layer.output.LayerNorm
        )
    return graph.pooled(value)
