"""The reference graph: what Optimum exports, with a KV cache, or with one embedding for each text.

The one place that knows Optimum. Hands on an ``.onnx`` file and the model's shape.
"""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import GraphProto, TensorProto, helper, numpy_helper
from transformers import PreTrainedModel

from attar.runtime.bundle import GRAPH_FILE, Architecture
from attar.runtime.errors import ModelError

__all__ = ["architecture_of", "export_encoder_reference", "export_reference"]

_EXPORTED = {"text-generation-with-past": "LLaMA, Qwen2 or GPT-2", "feature-extraction": "BERT or RoBERTa"}


def export_reference(model: PreTrainedModel, folder: Path) -> Path:
    """Export a causal LM in fp32; returns the graph's path.

    Raises:
        ModelError: Optimum does not know the architecture, or the export fails.
    """
    return _export(model, folder, "text-generation-with-past")


def export_encoder_reference(model: PreTrainedModel, folder: Path) -> Path:
    """Export an encoder in fp32, with the mean of each text's tokens and length 1 added to what Optimum makes.

    Raises:
        ModelError: See :func:`export_reference`.
    """
    graph = _export(model, folder, "feature-extraction")
    made = onnx.load(graph)
    _add_pooling(made.graph, model.config.hidden_size)
    onnx.save_model(made, graph)
    return graph


def _export(model: PreTrainedModel, folder: Path, task: str) -> Path:
    from optimum.exporters.onnx import onnx_export_from_model

    try:
        with _quiet():
            onnx_export_from_model(model, folder, task=task, do_validation=False, device="cpu")
    except (ValueError, KeyError, RuntimeError, NotImplementedError) as error:
        raise ModelError(
            f"Optimum can't export a {model.config.model_type} model.",
            why=str(error).strip().splitlines()[0],
            next_step=f"Choose an architecture that Optimum exports, such as {_EXPORTED[task]}.",
        ) from error
    return folder / GRAPH_FILE


def _add_pooling(graph: GraphProto, size: int) -> None:
    """The same operators as the fast graph has; see ``fast/encoder.py``."""
    middle = numpy_helper.from_array(np.array([1]), "pooling.middle_axis")
    graph.initializer.append(middle)
    graph.node.extend(
        [
            helper.make_node("Cast", ["attention_mask"], ["pooling.mask"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["pooling.mask", middle.name], ["pooling.row"]),
            helper.make_node("MatMul", ["pooling.row", graph.output[0].name], ["pooling.sum"]),
            helper.make_node("Squeeze", ["pooling.sum", middle.name], ["pooling.total"]),
            helper.make_node("LpNormalization", ["pooling.total"], ["embeddings"], axis=-1, p=2),
        ]
    )
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ["B", size]))


def architecture_of(model: PreTrainedModel, context_length: int | None = None) -> Architecture:
    """The shape that the runtime needs to know; the context is as long as positions reach, if nothing else is said."""
    config = model.config
    heads = config.num_attention_heads
    return Architecture(
        model_type=config.model_type,
        layers=config.num_hidden_layers,
        key_value_heads=getattr(config, "num_key_value_heads", None) or heads,
        head_size=getattr(config, "head_dim", None) or config.hidden_size // heads,
        vocabulary_size=config.vocab_size,
        context_length=context_length or config.max_position_embeddings,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The tracer warns of every shape it can't follow; parity is what tells whether it mattered."""
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(None):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)
