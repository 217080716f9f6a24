"""Sparse teacher signals: the k most likely tokens, and one bucket for all the others.

The bucket makes of truncation a coarser look at the same distribution: dropping the tail and making the rest sum to
1 again would teach that the others are impossible (arXiv 2503.16870). Each divergence is the dense one, on
k + 1 buckets. Does not know where signals are kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from attar.runtime.errors import UsageError

from .registry import Divergence

__all__ = ["SparseTargets", "require_temperature", "sparse_divergence", "sparse_targets"]

_LEAST = -80.0
"""Log of the least probability of a bucket: nothing beside the others, and far from the end of fp32."""
_NOTHING = -1e4
"""In place of the log-probability of a token that does not count."""


@dataclass(frozen=True)
class SparseTargets:
    """What a teacher says of N tokens.

    Attributes:
        ids: ``[N, k]`` the most likely tokens.
        log_probs: ``[N, k]`` their log-probabilities.
        log_tail: ``[N]`` the log of what all other tokens have together.
        log_sum_exp: ``[N]`` of the logits over the temperature; with it ``log_probs`` are logits again.
        temperature: At which all of this was taken. Another one can't be made of it: the tail is a sum.
    """

    ids: Tensor
    log_probs: Tensor
    log_tail: Tensor
    log_sum_exp: Tensor
    temperature: float

    def at(self, place: slice) -> SparseTargets:
        """Those of a slice of the tokens."""
        return replace(
            self,
            ids=self.ids[place],
            log_probs=self.log_probs[place],
            log_tail=self.log_tail[place],
            log_sum_exp=self.log_sum_exp[place],
        )

    def normalized(self) -> SparseTargets:
        """The same with probabilities that sum to 1, which those that were stored in few bits do not quite."""
        total = torch.cat([self.log_probs, self.log_tail[:, None]], dim=-1).logsumexp(-1)
        return replace(self, log_probs=self.log_probs - total[:, None], log_tail=self.log_tail - total)


def sparse_targets(logits: Tensor, k: int, temperature: float) -> SparseTargets:
    """The targets in dense logits ``[N, V]``; ``k`` is 1 to V."""
    scaled = logits.float() / temperature
    log_probs = functional.log_softmax(scaled, dim=-1)
    likely, ids = log_probs.topk(k, dim=-1)
    return SparseTargets(ids, likely, _tail(log_probs, ids), scaled.logsumexp(-1), temperature)


def sparse_divergence(divergence: Divergence, student: Tensor, targets: SparseTargets, temperature: float) -> Tensor:
    """A divergence over the k tokens and the bucket, ``[N]``.

    With k = V it is the dense one; with fewer tokens it is at most that (for all f-divergences, and so for all of
    :data:`~attar.pipeline.losses.DIVERGENCES` but alpha-beta).

    Args:
        divergence: Of log-probabilities ``[N, k + 1]``.
        student: ``[N, V]`` log-probabilities at the temperature.
        targets: The teacher's.
        temperature: The loss's, which must be that of the targets.

    Raises:
        UsageError: It is not.
    """
    require_temperature(targets.temperature, temperature)
    ours = torch.cat([student.gather(-1, targets.ids), _tail(student, targets.ids)[:, None]], dim=-1)
    theirs = torch.cat([targets.log_probs, targets.log_tail[:, None]], dim=-1)
    return divergence(ours.clamp(min=_LEAST), theirs.clamp(min=_LEAST))


def require_temperature(taken: float, wanted: float) -> None:
    """Check that signals are used at the temperature that they were taken at.

    Raises:
        UsageError: They are not.
    """
    if taken != wanted:
        raise UsageError(
            f"The signals were taken at temperature {taken:g} and can't be used at {wanted:g}.",
            next_step="Take the signals anew at that temperature.",
        )


def _tail(log_probs: Tensor, ids: Tensor) -> Tensor:
    """``[N]`` log of the probability of all but these ids; summed up, as 1 less the rest would be all rounding."""
    return log_probs.scatter(-1, ids, _NOTHING).logsumexp(-1).clamp(min=_LEAST)
