"""The distillation loss: soft targets from the teacher, hard ones from the table.

Takes logits at answer positions, already shifted. Does not know masks, sequences or prompts.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from .forward_kl import forward_kl
from .registry import Divergence
from .sampled import SampledTargets, sampled_divergence
from .sparse import SparseTargets, sparse_divergence

__all__ = ["DistillationLoss", "Targets"]

Targets = Tensor | SparseTargets | SampledTargets
"""What a teacher says of N tokens: dense logits ``[N, V]``, or less."""


class DistillationLoss(nn.Module):
    """``alpha * T² * divergence(teacher, student) + (1 - alpha) * cross-entropy``.

    Hinton et al., "Distilling the Knowledge in a Neural Network" (arXiv 1503.02531), section 2: both
    distributions are softened by the temperature T, and T² keeps the soft term's gradient at the size of
    the hard one's. Subclass it for a loss of your own: override :meth:`per_token` where each token's loss follows
    from its own logits, so that these are computed in chunks; override :meth:`forward` to see all of them at once.

    Args:
        temperature: T, above 0.
        alpha: Weight of the soft term, 0 to 1.
        divergence: Of log-probabilities; by default forward KL.
    """

    def __init__(self, temperature: float = 2.0, alpha: float = 0.5, divergence: Divergence = forward_kl) -> None:
        super().__init__()
        self.temperature = temperature
        self.alpha = alpha
        self.divergence = divergence

    @property
    def is_by_token(self) -> bool:
        """Whether the loss is the mean of :meth:`per_token`, as it is until :meth:`forward` is overridden."""
        return type(self).forward is DistillationLoss.forward

    @property
    def asks_teacher(self) -> bool:
        """Whether the loss depends on the teacher: with ``alpha`` 0 it does not, unless it is one of your own."""
        return self.alpha > 0 or not self.is_by_token or type(self).per_token is not DistillationLoss.per_token

    def forward(self, student_logits: Tensor, teacher_logits: Tensor, labels: Tensor) -> Tensor:
        """The loss over N answer tokens.

        Args:
            student_logits: ``[N, V]`` fp32, at the positions that predict the labels.
            teacher_logits: ``[N, V]`` fp32, at the same positions.
            labels: ``[N]`` token ids.

        Returns:
            A scalar, the mean over tokens.
        """
        return self.per_token(student_logits, teacher_logits, labels).mean()

    def per_token(self, student_logits: Tensor, teacher: Targets | None, labels: Tensor) -> Tensor:
        """The loss of each token, ``[N]``; arguments as for :meth:`forward`, or the teacher's sparse targets.

        The teacher says nothing, None, where :attr:`asks_teacher` is false.

        Raises:
            UsageError: The targets were taken at another temperature, or do not go with this divergence.
        """
        hard = functional.cross_entropy(student_logits, labels, reduction="none")
        if teacher is None:
            return hard
        student = functional.log_softmax(student_logits / self.temperature, dim=-1)
        if isinstance(teacher, SparseTargets):
            soft = sparse_divergence(self.divergence, student, teacher, self.temperature)
        elif isinstance(teacher, SampledTargets):
            soft = sampled_divergence(self.divergence, student, teacher, self.temperature)
        else:
            soft = self.divergence(student, functional.log_softmax(teacher / self.temperature, dim=-1))
        return self.alpha * self.temperature**2 * soft + (1 - self.alpha) * hard
