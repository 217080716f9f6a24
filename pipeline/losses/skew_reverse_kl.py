"""Skew reverse KL divergence: reverse KL, to a teacher with a little of the student mixed in."""

from __future__ import annotations

from torch import Tensor

from .skew_forward_kl import skew_forward_kl

__all__ = ["skew_reverse_kl"]


def skew_reverse_kl(student: Tensor, teacher: Tensor, *, skew: float = 0.1) -> Tensor:
    """``KL(student || skew student + (1 - skew) teacher)`` of each token: DistiLLM (arXiv 2402.03898), section 3.1.

    Args:
        student: ``[N, V]`` log-probabilities.
        teacher: ``[N, V]`` log-probabilities, finite.
        skew: The student's share of the mixture, above 0 and below 1.

    Returns:
        ``[N]``, in nats.
    """
    return skew_forward_kl(teacher, student, skew=skew)
