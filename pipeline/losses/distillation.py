"""The distillation loss: soft targets from the teacher, hard ones from the table.

Takes logits at answer positions, already shifted. Does not know masks, sequences or prompts.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

__all__ = ["DistillationLoss"]


class DistillationLoss(nn.Module):
    """``alpha * T² * KL(teacher || student) + (1 - alpha) * cross-entropy``.

    Hinton et al., "Distilling the Knowledge in a Neural Network" (arXiv 1503.02531), section 2: both
    distributions are softened by the temperature T, and T² keeps the soft term's gradient at the size of
    the hard one's. Subclass it and override :meth:`forward` for a loss of your own.

    Args:
        temperature: T, above 0.
        alpha: Weight of the soft term, 0 to 1.
    """

    def __init__(self, temperature: float = 2.0, alpha: float = 0.5) -> None:
        super().__init__()
        self.temperature = temperature
        self.alpha = alpha

    def forward(self, student_logits: Tensor, teacher_logits: Tensor, labels: Tensor) -> Tensor:
        """The loss over N answer tokens.

        Args:
            student_logits: ``[N, V]`` fp32, at the positions that predict the labels.
            teacher_logits: ``[N, V]`` fp32, at the same positions.
            labels: ``[N]`` token ids.

        Returns:
            A scalar, the mean over tokens.
        """
        soft = functional.kl_div(
            functional.log_softmax(student_logits / self.temperature, dim=-1),
            functional.log_softmax(teacher_logits / self.temperature, dim=-1),
            reduction="batchmean",
            log_target=True,
        )
        hard = functional.cross_entropy(student_logits, labels)
        return self.alpha * self.temperature**2 * soft + (1 - self.alpha) * hard
