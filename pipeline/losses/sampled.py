"""Sampled teacher signals: tokens drawn from the teacher's distribution, whose mean loss is right on average.

Forward KL is linear in the teacher's probabilities, so an unbiased estimate of these gives an unbiased gradient, which
the k most likely tokens alone do not (arXiv 2503.16870). The proposal is the teacher itself, so each draw weighs the
same and no weight is stored. Does not know where signals are kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from attar.runtime.errors import UsageError

from .forward_kl import forward_kl
from .registry import Divergence
from .sparse import require_temperature

__all__ = ["SampledTargets", "sampled_divergence", "sampled_targets"]


@dataclass(frozen=True)
class SampledTargets:
    """What a teacher says of N tokens.

    Attributes:
        ids: ``[N, k]`` tokens drawn from it, a likely one several times.
        entropy: ``[N]`` of its whole distribution, in nats.
        temperature: At which all of this was taken.
    """

    ids: Tensor
    entropy: Tensor
    temperature: float

    def at(self, place: slice) -> SampledTargets:
        """Those of a slice of the tokens."""
        return replace(self, ids=self.ids[place], entropy=self.entropy[place])


def sampled_targets(logits: Tensor, k: int, temperature: float, offsets: Tensor) -> SampledTargets:
    """Draws from the distributions of dense logits ``[N, V]``, k from each.

    Drawn at even distances of cumulated probability from one random offset ("systematic resampling", Douc and Cappé,
    arXiv cs/0507025, section 2.4): a token of probability p comes k p times on average, as it would in independent
    draws, and never a whole draw more or less often than that.

    Args:
        logits: Of the teacher.
        k: How many.
        temperature: Softens the distributions.
        offsets: ``[N]`` random numbers from 0 to 1, 1 excluded.
    """
    log_probs = functional.log_softmax(logits.float() / temperature, dim=-1)
    cumulated = log_probs.exp().cumsum(-1)
    places = (torch.arange(k) + offsets[:, None].float()) / k * cumulated[:, -1:]
    ids = torch.searchsorted(cumulated, places, right=True).clamp(max=logits.shape[-1] - 1)
    entropy = -(log_probs.exp() * log_probs.clamp(min=torch.finfo(torch.float32).min)).sum(-1)
    return SampledTargets(ids, entropy, temperature)


def sampled_divergence(divergence: Divergence, student: Tensor, targets: SampledTargets, temperature: float) -> Tensor:
    """Forward KL estimated by the draws, ``[N]``: on average over these it is the dense one, and so is its gradient.

    Args:
        divergence: Forward KL; no other is linear in what is estimated.
        student: ``[N, V]`` log-probabilities at the temperature.
        targets: The teacher's.
        temperature: The loss's, which must be that of the targets.

    Raises:
        UsageError: It is another divergence or temperature.
    """
    if getattr(divergence, "func", divergence) is not forward_kl:
        raise UsageError(
            "Sampled signals are unbiased for forward KL alone.",
            next_step='Set distillation.loss to "forward_kl", or distillation.signal_kind to "top_k".',
        )
    require_temperature(targets.temperature, temperature)
    return -targets.entropy - student.gather(-1, targets.ids).mean(-1)
