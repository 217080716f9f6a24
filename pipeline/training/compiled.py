"""Layers that compute faster in training: compiled by torch, their attention as plain products of matrices.

What stands between a layer's products takes more than half of its time on a CPU, and torch's fused attention goes back
slowly through short sequences (benchmarks/LOG.md). Such attention keeps a weight for each pair of tokens, so layers
with many of those keep nothing, and are computed again on the way back ("Training Deep Nets with Sublinear Memory
Cost", arXiv 1604.06174, section 4). Compiling takes about half a minute and a C++ compiler, so short training goes
without. Changes nothing but speed and memory, up to rounding. Does not know what is trained.
"""

from __future__ import annotations

import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel

from ..progress import say
from ..student import layers_of

__all__ = ["MOST_PAIRS", "WORTH", "compiled_layers", "pays", "plain_layers"]

WORTH = 15e12
"""Tokens of training times parameters from which on compiling takes less time than it saves."""
MOST_PAIRS = 2 * 512**2
"""Pairs of tokens in a batch up to which a layer keeps what attention made of them for the backward pass."""
_ATTENTION = "eager"
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
            model.config._attn_implementation = _ATTENTION
            for layer in layers_of(model)[1]:
                layer.forward = partial(_sparing, torch.compile(layer.forward, dynamic=True))
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


def _sparing(forward: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What a layer gives, whose forward this is; with many pairs of tokens it is computed again on the way back."""
    rows, length, _ = (args[0] if args else kwargs["hidden_states"]).shape
    if torch.is_grad_enabled() and rows * length**2 > MOST_PAIRS:
        return checkpoint(forward, *args, use_reentrant=False, **kwargs)
    return forward(*args, **kwargs)


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
