"""Which family a model is of, and its graph written. Does not know what a family's graph looks like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray
from transformers import PreTrainedModel

from attar.runtime.errors import ModelError

from . import bert, gpt2, llama
from .decoder import DecoderGraph
from .encoder import EncoderGraph
from .forms import FORMS, Form

__all__ = [
    "ENCODERS",
    "FAMILIES",
    "EncoderFamily",
    "Family",
    "build_encoder",
    "build_fast",
    "encoder_refusal",
    "refusal",
]


@dataclass(frozen=True)
class Family:
    """A kind of model.

    Attributes:
        refusal: Why a model of this config has no fast graph; None where it has one.
        assemble: Adds a model to a graph in a form, and returns the logits.
        head_multiple: Sizes of attention heads that GroupQueryAttention takes are multiples of this.
    """

    refusal: Callable[[Any], str | None]
    assemble: Callable[[Any, DecoderGraph, Form], ir.Value]
    head_multiple: int


_LLAMA = Family(llama.refusal, llama.assemble, head_multiple=16)

FAMILIES: dict[str, Family] = {
    "gpt2": Family(gpt2.refusal, gpt2.assemble, head_multiple=8),
    "llama": _LLAMA,
    "mistral": _LLAMA,
    "qwen2": _LLAMA,
    "qwen3": _LLAMA,
}
"""By ``model_type``."""


@dataclass(frozen=True)
class EncoderFamily:
    """A kind of model that embeds texts; see :class:`Family`."""

    refusal: Callable[[Any], str | None]
    assemble: Callable[[Any, EncoderGraph, Form], ir.Value]


ENCODERS: dict[str, EncoderFamily] = {"bert": EncoderFamily(bert.refusal, bert.assemble)}
"""By ``model_type``."""


def refusal(config: Any) -> str | None:
    """Why a model of this config has no fast graph; None where it has one."""
    family = FAMILIES.get(config.model_type)
    return "no family of this name is known" if family is None else family.refusal(config)


def build_fast(
    model: PreTrainedModel, path: Path, form: str, moments: Mapping[Any, NDArray[np.float32]] | None = None
) -> Path:
    """Write a model's fast graph.

    Args:
        model: In fp32.
        path: The ``.onnx`` file; weights go beside it as ``NAME.data``.
        form: A key of ``FORMS``.
        moments: What :func:`~attar.pipeline.export.calibration.input_moments` says of the layers' inputs; 4 bits
            round by them.

    Raises:
        ModelError: The operator for attention does not take the model's heads.
    """
    family, config = FAMILIES[model.config.model_type], model.config
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    if size % family.head_multiple:
        raise ModelError(
            f"The fast graph can't have attention heads of size {size}.",
            why=f"onnxruntime's GroupQueryAttention takes multiples of {family.head_multiple}.",
            next_step="Export with --graph optimum.",
        )
    graph = DecoderGraph(path)
    chosen = replace(FORMS[form], moments=moments or {})
    graph.save("logits", family.assemble(model, graph, chosen), "B", "R", config.vocab_size)
    return path


def encoder_refusal(config: Any) -> str | None:
    """Why an encoder of this config has no fast graph; None where it has one."""
    family = ENCODERS.get(config.model_type)
    return "no family of this name is known" if family is None else family.refusal(config)


def build_encoder(model: PreTrainedModel, path: Path, form: str) -> Path:
    """Write an encoder's fast graph; arguments as :func:`build_fast` has them."""
    graph = EncoderGraph(path)
    graph.save(
        "embeddings",
        ENCODERS[model.config.model_type].assemble(model, graph, FORMS[form]),
        "B",
        model.config.hidden_size,
    )
    return path
