"""Layers that compute faster in training: compiled by torch, their attention as plain products of matrices.

What stands between a layer's products takes more than half of its time on a CPU, and torch's fused attention goes back
slowly through short sequences (benchmarks/LOG.md). Compiling takes about half a minute and a C++ compiler, so short
training goes without. Changes nothing but speed and memory, up to rounding. Does not know what is trained.
"""

from __future__ import annotations

import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import torch
from torch import nn
from transformers import PreTrainedModel

from ..progress import say
from ..student import layers_of
from .attention import plain_attention

__all__ = ["WORTH", "compiled_layers", "pays", "plain_layers"]

WORTH = 15e12
"""Tokens of training times parameters from which on compiling takes less time than it saves."""
_MOST_CODES = 32
"""By model, precision, with gradients and without, a batch of one and of more; torch gives up after 8, and says so."""


def pays(wanted: bool | None, tokens: int, parameters: int) -> bool:
    """Whether to compile: as told, or where it saves time and can be done."""
    return (tokens * parameters >= WORTH if wanted is None else wanted) and _can_compile()


@contextmanager
def compiled_layers(*models: PreTrainedModel, when: bool = True) -> Iterator[None]:
    """In the block the models' layers are compiled; after it they are as before.

    One code for all layers of a kind and for all shapes but a batch of one; hooks on the layers see what they always
    see.
    """
    if not when:
        yield
        return
    changed: list[nn.Module] = []
    kept = [(model.config, model.config._attn_implementation) for model in models]
    try:
        for model in models:
            model.config._attn_implementation = plain_attention(model)
            for layer in layers_of(model)[1]:
                layer.forward = torch.compile(layer.forward, dynamic=True)
                changed.append(layer)
        with torch.compiler.config.patch(recompile_limit=_MOST_CODES):  # type: ignore[attr-defined]  # added at run time
            yield
    finally:
        for layer in changed:
            del layer.forward  # what hid the class's own
        for config, attention in kept:
            config._attn_implementation = attention


@contextmanager
def plain_layers(model: PreTrainedModel) -> Iterator[None]:
    """In the block the model's layers are not compiled, though it stands in one of :func:`compiled_layers`.

    Answers grow token by token: other shapes and other branches of the code, each of which would be compiled.
    """
    compiled = [(layer, vars(layer).pop("forward")) for layer in layers_of(model)[1] if "forward" in vars(layer)]
    try:
        yield
    finally:
        for layer, forward in compiled:
            layer.forward = forward


@cache
def _can_compile() -> bool:
    """Whether torch finds what it needs to compile for this CPU; tried, as finding out otherwise is guessing."""
    if not (Path(sysconfig.get_path("include")) / "Python.h").is_file():
        return False
    try:
        torch.compile(torch.nn.functional.silu)(torch.ones(8))
    except Exception as error:  # whatever a compiler, or its absence, raises
        say(f"training without compiled layers: {type(error).__name__}")
        return False
    return True
