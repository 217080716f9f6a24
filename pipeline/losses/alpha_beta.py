"""Alpha-beta divergence: how much what the teacher is sure of counts, and how much what the student is sure of."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["alpha_beta"]


def alpha_beta(student: Tensor, teacher: Tensor, *, powers: tuple[float, float] = (0.2, 0.7)) -> Tensor:
    """The alpha-beta divergence of each token, as ABKD (arXiv 2505.04560) distils with it.

    With ``a, b = powers``, ``p`` the teacher's and ``q`` the student's probabilities, it is the sum of
    ``(a p^(a+b) + b q^(a+b)) / (a + b) - p^a q^b`` over the vocabulary, divided by ``a b``. It nears forward KL at
    (1, 0) and reverse KL at (0, 1).

    Args:
        student: ``[N, V]`` log-probabilities.
        teacher: ``[N, V]`` log-probabilities, finite.
        powers: Alpha and beta, both above 0.

    Returns:
        ``[N]``.
    """
    alpha, beta = powers
    total = alpha + beta
    share = alpha / total
    theirs, ours = total * teacher, total * student
    apart = theirs - ours
    above, below = apart.relu(), (-apart).relu()
    middle = (share * theirs + (1 - share) * ours).exp()
    # Both differences to the geometric mean, neither by subtraction: where p and q are alike it would be all rounding.
    of_teacher = middle * torch.expm1((share - 1) * below) - theirs.exp() * torch.expm1((share - 1) * above)
    of_student = middle * torch.expm1(-share * above) - ours.exp() * torch.expm1(-share * below)
    return (share * of_teacher + (1 - share) * of_student).sum(-1) / (alpha * beta)
