"""Skew forward KL divergence: forward KL, to a student with a little of the teacher mixed in."""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["skew_forward_kl"]


def skew_forward_kl(student: Tensor, teacher: Tensor, *, skew: float = 0.1) -> Tensor:
    """``KL(teacher || skew teacher + (1 - skew) student)`` of each token: DistiLLM (arXiv 2402.03898), section 3.1.

    What the student gives no weight costs at most ``-log(skew)``, so gradients stay small where forward KL's don't.

    Args:
        student: ``[N, V]`` log-probabilities.
        teacher: ``[N, V]`` log-probabilities, finite.
        skew: The teacher's share of the mixture, above 0 and below 1.

    Returns:
        ``[N]``, in nats.
    """
    mixture = torch.logaddexp(teacher + math.log(skew), student + math.log1p(-skew))
    return (teacher.exp() * (teacher - mixture)).sum(-1)
