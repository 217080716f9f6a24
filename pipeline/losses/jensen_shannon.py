"""Jensen-Shannon divergence: bounded, and between forward and reverse KL."""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["jensen_shannon"]


def jensen_shannon(student: Tensor, teacher: Tensor, *, beta: float = 0.5) -> Tensor:
    """``beta KL(teacher || m) + (1 - beta) KL(student || m)`` with ``m = beta teacher + (1 - beta) student``.

    The generalized divergence of GKD (arXiv 2306.13649), section 2. Divided by ``beta`` it nears forward KL as
    beta nears 0; otherwise arguments and result are as for :func:`~attar.pipeline.losses.forward_kl`.

    Args:
        student: ``[N, V]`` log-probabilities.
        teacher: ``[N, V]`` log-probabilities, finite.
        beta: The teacher's weight, above 0 and below 1.
    """
    mixture = torch.logaddexp(teacher + math.log(beta), student + math.log1p(-beta))
    to_teacher = (teacher.exp() * (teacher - mixture)).sum(-1)
    to_student = (student.exp() * (student - mixture)).sum(-1)
    return beta * to_teacher + (1 - beta) * to_student
