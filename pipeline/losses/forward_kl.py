"""Forward KL divergence: the student must give weight wherever the teacher does."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

__all__ = ["forward_kl"]


def forward_kl(student: Tensor, teacher: Tensor) -> Tensor:
    """``KL(teacher || student)`` of each token: Hinton et al. (arXiv 1503.02531), section 2.

    Args:
        student: ``[N, V]`` log-probabilities.
        teacher: ``[N, V]`` log-probabilities, finite.

    Returns:
        ``[N]``, in nats.
    """
    return functional.kl_div(student, teacher, reduction="none", log_target=True).sum(-1)
