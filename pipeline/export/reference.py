"""The reference graph: what Optimum exports, with a KV cache.

The one place that knows Optimum. Hands on an ``.onnx`` file and the model's shape.
"""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path

from transformers import PreTrainedModel

from attar.runtime.bundle import GRAPH_FILE, Architecture
from attar.runtime.errors import ModelError

__all__ = ["architecture_of", "export_reference"]


def export_reference(model: PreTrainedModel, folder: Path) -> Path:
    """Export a causal LM in fp32; returns the graph's path.

    Raises:
        ModelError: Optimum does not know the architecture, or the export fails.
    """
    from optimum.exporters.onnx import onnx_export_from_model

    try:
        with _quiet():
            onnx_export_from_model(model, folder, task="text-generation-with-past", do_validation=False, device="cpu")
    except (ValueError, KeyError, RuntimeError, NotImplementedError) as error:
        raise ModelError(
            f"Optimum can't export a {model.config.model_type} model.",
            why=str(error).strip().splitlines()[0],
            next_step="Choose an architecture that Optimum exports, such as LLaMA, Qwen2 or GPT-2.",
        ) from error
    return folder / GRAPH_FILE


def architecture_of(model: PreTrainedModel) -> Architecture:
    """The shape that the runtime needs to know."""
    config = model.config
    heads = config.num_attention_heads
    return Architecture(
        model_type=config.model_type,
        layers=config.num_hidden_layers,
        key_value_heads=getattr(config, "num_key_value_heads", None) or heads,
        head_size=getattr(config, "head_dim", None) or config.hidden_size // heads,
        vocabulary_size=config.vocab_size,
        context_length=config.max_position_embeddings,
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
