"""Total variation distance: half of all that the probabilities differ by."""

from __future__ import annotations

from torch import Tensor

__all__ = ["total_variation"]


def total_variation(student: Tensor, teacher: Tensor) -> Tensor:
    """``sum |teacher - student| / 2`` of each token, 0 to 1, as f-DISTILL (arXiv 2307.15190) distils with it.

    Arguments as for :func:`~attar.pipeline.losses.forward_kl`.
    """
    return (teacher.exp() - student.exp()).abs().sum(-1) / 2
