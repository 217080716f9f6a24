"""How far a student's hidden states are from its teacher's.

Both measures weigh every token alike; in a plain mean square a few huge activations rule.
Does not know which layers are compared.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["cosine_distance", "relative_error"]


def cosine_distance(student: Sequence[Tensor], teacher: Sequence[Tensor], mask: Tensor) -> Tensor:
    """Mean of ``1 - cos`` over layers and real tokens, after DistilBERT's L_cos (arXiv 1910.01108, section 2).

    Args:
        student: Hidden states ``[B, T, H]``, one for each layer compared.
        teacher: As many, of the same shape.
        mask: ``[B, T]`` bool, true where there is a token.

    Returns:
        A scalar between 0 and 2.
    """
    distances = [
        1 - functional.cosine_similarity(ours[mask].float(), theirs[mask].float(), dim=-1)
        for ours, theirs in zip(student, teacher, strict=True)
    ]
    return torch.stack([distance.mean() for distance in distances]).mean()


def relative_error(student: Sequence[Tensor], teacher: Sequence[Tensor], mask: Tensor) -> Tensor:
    """Mean of ``|student - teacher|² / |teacher|²`` over layers and real tokens.

    Arguments as for :func:`cosine_distance`. Unlike the cosine it sees length, which counts where a layer
    adds to what comes in. 0 is equal, 1 is as good as zeros.
    """
    errors = []
    for ours, theirs in zip(student, teacher, strict=True):
        target = theirs[mask].float()
        errors.append(((ours[mask].float() - target).square().sum(-1) / target.square().sum(-1)).mean())
    return torch.stack(errors).mean()
