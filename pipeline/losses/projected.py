"""Mean squared error between hidden states of unequal width, through projections that are learned beside the student.

Does not know which layers are compared. The projections are thrown away once the student is trained.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

__all__ = ["ProjectedError"]


class ProjectedError(nn.Module):
    """``mean (W student - teacher)²`` over layers, real tokens and features, one W for each layer.

    FitNets (arXiv 1412.6550), section 2.2, and TinyBERT (arXiv 1909.10351), section 3, for linear W.

    Args:
        student_width: Features of the student's hidden states.
        teacher_width: Features of the teacher's.
        layers: How many layers are compared.
    """

    def __init__(self, student_width: int, teacher_width: int, layers: int) -> None:
        super().__init__()
        self.projections = nn.ModuleList(nn.Linear(student_width, teacher_width, bias=False) for _ in range(layers))

    def forward(self, student: Sequence[Tensor], teacher: Sequence[Tensor], mask: Tensor) -> Tensor:
        """The error, a scalar.

        Args:
            student: Hidden states ``[B, T, student_width]``, one for each layer compared.
            teacher: As many, ``[B, T, teacher_width]``.
            mask: ``[B, T]`` bool, true where there is a token.
        """
        errors = []
        for projection, ours, theirs in zip(self.projections, student, teacher, strict=True):
            projected = projection(ours[mask])
            errors.append((projected.float() - theirs[mask].float()).square().mean())
        return torch.stack(errors).mean()
