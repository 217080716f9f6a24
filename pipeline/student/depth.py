"""A smaller body by depth: some of the teacher's layers, by even spacing or otherwise.

Hands on a student and which layers it kept. Does not know how the student is trained.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

from torch import nn
from transformers import PreTrainedModel

from attar.runtime.errors import UsageError

__all__ = ["are_comparable", "cut", "even_layers", "layers_of", "lowest_layers", "ranked_layers", "require_possible"]


def are_comparable(teacher: PreTrainedModel, student: PreTrainedModel) -> bool:
    """Whether hidden states can be compared layer by layer: they are as wide, and the student has no more layers."""
    theirs, ours = teacher.config, student.config
    return bool(ours.hidden_size == theirs.hidden_size and ours.num_hidden_layers <= theirs.num_hidden_layers)


def even_layers(total: int, keep: int) -> list[int]:
    """Numbers of ``keep`` of ``total`` layers, evenly spaced, with the first and the last.

    As DistilGPT-2 was cut (12 to 6: 0, 2, 4, 7, 9, 11).

    Raises:
        UsageError: More layers are asked for than there are, or fewer than one.
    """
    require_possible(total, keep)
    if keep == 1:
        return [0]
    return [int(number * (total - 1) / (keep - 1) + 0.5) for number in range(keep)]


def lowest_layers(total: int, keep: int) -> list[int]:
    """Numbers of the ``keep - 1`` lowest of ``total`` layers, and of the last, which speaks to the head.

    Lower layers served fine-tuned students best in "How to Distill your BERT" (arXiv 2305.15032).

    Raises:
        UsageError: See :func:`even_layers`.
    """
    require_possible(total, keep)
    return [*range(keep - 1), total - 1] if keep > 1 else [0]


def ranked_layers(total: int, keep: int, loss_without: Callable[[Sequence[int]], float]) -> list[int]:
    """Numbers of all layers, the most important first: behind those that are kept, what went, the last of it first.

    The layer that is missed least goes, until ``keep`` are left. Two that do the same work are each missed little, and
    both much, so what a layer is missed is the loss without it and all that went before. With fewer left each tends
    to matter more: one that was missed more than the least is now when there were more of them is not asked again
    ("Accelerated greedy algorithms for maximizing submodular set functions", Minoux 1978).

    Args:
        total: How many layers there are.
        keep: How many stay.
        loss_without: The loss without these layers; first asked for each alone.
    """
    losses = {layer: loss_without([layer]) for layer in range(total)}
    gone: list[int] = []
    now = set(losses)
    while len(losses) > keep:
        least = min(losses, key=lambda layer: (losses[layer], -layer))
        if least in now:
            gone.append(least)
            del losses[least]
            now.clear()
        else:
            losses[least] = loss_without([*gone, least])
            now.add(least)
    return [*sorted(losses, key=lambda layer: (-losses[layer], layer)), *reversed(gone)]


def cut(teacher: PreTrainedModel, layers: Sequence[int]) -> PreTrainedModel:
    """A copy of the teacher that keeps only the layers of these numbers.

    The copy shares no memory with the teacher.

    Raises:
        UsageError: The teacher has no such layers, or they do not ascend.
    """
    name, stack = layers_of(teacher)
    _require_ascending(layers, len(stack))
    kept = nn.ModuleList([stack[number] for number in layers])
    parent = teacher.get_submodule(name.rpartition(".")[0])
    attribute = name.rpartition(".")[2]
    setattr(parent, attribute, nn.ModuleList())  # so that the copy below does not hold the dropped layers
    try:
        student = copy.deepcopy(teacher)
    finally:
        setattr(parent, attribute, stack)
    setattr(student.get_submodule(name.rpartition(".")[0]), attribute, copy.deepcopy(kept))
    _renumber(student, len(layers))
    student.requires_grad_(True)
    return student


def layers_of(model: PreTrainedModel) -> tuple[str, nn.ModuleList]:
    """The path and the list of a decoder's layers.

    Raises:
        UsageError: The model has no single stack of layers.
    """
    total = model.config.num_hidden_layers
    for name, module in model.named_modules():
        if isinstance(module, nn.ModuleList) and len(module) == total:
            return name, module
    raise UsageError(
        f"A body can't be cut from a {model.config.model_type} model: no stack of {total} layers was found.",
        next_step="Name a student with student_model_name instead.",
    )


def require_possible(total: int, keep: int) -> None:
    """Refuse to keep more layers than there are, or fewer than one.

    Raises:
        UsageError: That is so.
    """
    if not 1 <= keep <= total:
        raise UsageError(
            f"A student of {keep} layers can't be cut from a teacher of {total}.",
            next_step=f"Set student_layers between 1 and {total}.",
        )


def _require_ascending(layers: Sequence[int], total: int) -> None:
    if not layers or list(layers) != sorted(set(layers)) or not 0 <= layers[0] <= layers[-1] < total:
        raise UsageError(
            f"A student can't be cut of the layers {', '.join(map(str, layers)) or 'none'}.",
            why=f"The teacher's are numbered from 0 to {total - 1}.",
            next_step="Name each layer at most once, in ascending order.",
        )


def _renumber(student: PreTrainedModel, count: int) -> None:
    """Layer numbers index the KV cache, so they must be dense."""
    student.config.num_hidden_layers = count
    if getattr(student.config, "layer_types", None):
        student.config.layer_types = student.config.layer_types[:count]
    for number, layer in enumerate(layers_of(student)[1]):
        for module in layer.modules():
            if hasattr(module, "layer_idx"):
                module.layer_idx = number  # type: ignore[assignment]  # torch types every attribute as a module
