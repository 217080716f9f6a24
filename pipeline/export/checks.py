"""What is seen to before a model is exported: its weights are numbers, and there is room. Does not know graphs."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import PreTrainedModel

from attar.runtime.errors import ModelError, OutOfSpace
from attar.runtime.limits import free_disk

__all__ = ["existing_parent", "require_finite", "require_room"]


def require_finite(model: PreTrainedModel, name: str) -> None:
    """Refuse a model with a weight that is NaN or infinite.

    Raises:
        ModelError: It names the weight.
    """
    for parameter, weight in model.named_parameters():
        if not torch.isfinite(weight).all():
            raise ModelError(
                "The model holds weights that are not numbers.",
                where=f"{name}: {parameter}",
                why="A value is NaN or infinite.",
                next_step="Train it again, with a lower learning rate, or take an earlier checkpoint.",
            )


def require_room(out: Path, wanted: float, what: str, next_step: str) -> None:
    """Refuse to begin where fewer bytes are free at ``out`` than are wanted for what is made there.

    Raises:
        OutOfSpace: With both figures.
    """
    free = free_disk(out)
    if wanted > free:
        raise OutOfSpace(
            "There is no room for the graphs.",
            where=out,
            why=f"{what} about {wanted / 1e9:.1f} GB on the way; {free / 1e9:.1f} GB are free.",
            next_step=next_step,
        )


def existing_parent(path: Path) -> Path:
    """The folder that something is made in, made if it is not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.parent
