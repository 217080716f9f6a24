"""Reverse KL divergence: the student must give no weight where the teacher gives little."""

from __future__ import annotations

from torch import Tensor

__all__ = ["reverse_kl"]


def reverse_kl(student: Tensor, teacher: Tensor) -> Tensor:
    """``KL(student || teacher)`` of each token: MiniLLM (arXiv 2306.08543), section 2.

    Arguments and result as for :func:`~attar.pipeline.losses.forward_kl`.
    """
    return (student.exp() * (student - teacher)).sum(-1)
