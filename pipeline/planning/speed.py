"""How fast this machine computes: one layer of the teacher timed, and what earlier runs took.

Hands on rates in floating-point operations a second. Does not know stages.
"""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from attar.runtime.files import read_json

from ..config import RunConfig
from ..versions import this_machine
from .shapes import model_config

__all__ = ["Earlier", "Speed", "earlier_run", "probe"]

_SEQUENCE = 256
_REPETITIONS = 3
_SMALL_VOCABULARY = 64


@dataclass(frozen=True)
class Speed:
    """What a layer of the teacher reaches here, with random weights and a batch of the config's size.

    Attributes:
        forward: Operations a second in a forward pass, two for each parameter and token.
        training: Operations a second forward and backward, six for each parameter and token.
        activations: Bytes that one layer keeps of one token for the backward pass.
        precision: What it was computed in.
        threads: How many threads it had.
    """

    forward: float
    training: float
    activations: float
    precision: str
    threads: int


@dataclass(frozen=True)
class Earlier:
    """An earlier run on this processor with this teacher: its folder, its config, its stages' seconds."""

    folder: Path
    config: RunConfig
    seconds: dict[str, float]


def probe(config: RunConfig) -> Speed:
    """Time one layer of the teacher, forward and backward, in the precision that a run would use.

    Raises:
        ModelError: The teacher's config can't be read.
    """
    import torch

    from ..training.precision import chosen_precision, computing_in

    settings = config.distillation
    precision = chosen_precision(settings.precision)
    length = min(_SEQUENCE, settings.batch_tokens)
    rows = max(1, settings.batch_tokens // length)
    body, layer_parameters = _one_layer(settings.teacher_model_name)
    inputs = torch.randn(rows, length, body.config.hidden_size, dtype=getattr(torch, precision))
    kept: dict[int, int] = {}
    own: set[int] = set()

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    def forward() -> torch.Tensor:
        hidden: torch.Tensor = body(inputs_embeds=inputs, use_cache=False).last_hidden_state
        return hidden

    def train() -> None:
        torch.autograd.backward(forward().float().square().mean())

    with computing_in(body, precision):
        own.update(parameter.untyped_storage().data_ptr() for parameter in body.parameters())
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            train()
        training_seconds = _median_seconds(train)
        with torch.no_grad():
            forward_seconds = _median_seconds(forward)
    tokens = rows * length
    return Speed(
        forward=2 * layer_parameters * tokens / forward_seconds,
        training=6 * layer_parameters * tokens / training_seconds,
        activations=sum(kept.values()) / tokens,
        precision=precision,
        threads=torch.get_num_threads(),
    )


def earlier_run(config: RunConfig, runs: Path) -> Earlier | None:
    """The latest whole run in the folder on this processor and with this teacher; its own name goes first."""
    found = []
    for file in runs.glob("*/run.json"):
        try:
            known: dict[str, Any] = read_json(file)
            earlier = RunConfig.model_validate(known["config"])
            seconds = {name: float(stage["seconds"]) for name, stage in known["stages"].items()}
            machine = known["machine"]
        except (OSError, ValueError, KeyError, TypeError, AttributeError, ValidationError):
            continue  # written by another version of attar, or being written now
        here = this_machine()
        same_machine = all(machine.get(name) == here[name] for name in ("processor", "threads"))
        if same_machine and _teacher(earlier) == _teacher(config):
            found.append((earlier.name == config.name, file.stat().st_mtime, Earlier(file.parent, earlier, seconds)))
    return max(found, key=lambda item: item[:2])[2] if found else None


def _one_layer(name: str) -> tuple[Any, int]:
    """The body of a model like this one with a single layer, and the parameters of that layer."""
    import torch
    from transformers import AutoModelForCausalLM

    from ..student.depth import layers_of

    config = copy.deepcopy(model_config(name))
    config.num_hidden_layers, config.vocab_size = 1, _SMALL_VOCABULARY
    config.pad_token_id = None
    if getattr(config, "layer_types", None):
        config.layer_types = config.layer_types[:1]
    model = AutoModelForCausalLM.from_config(config).to(torch.float32)
    stack = layers_of(model)[1]
    return model.base_model.train(), sum(parameter.numel() for parameter in stack[0].parameters())


def _median_seconds(work: Callable[[], object]) -> float:
    times = []
    for _ in range(_REPETITIONS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def _teacher(config: RunConfig) -> str:
    return config.distillation.teacher_model_name
