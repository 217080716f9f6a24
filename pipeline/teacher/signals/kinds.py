"""The kinds of signal that can be kept: how each is taken from dense logits, stored, and made into targets again.

A kind is one line of ``KINDS``. Does not know files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ...losses import SampledTargets, SparseTargets, sampled_targets, sparse_targets

__all__ = ["KINDS", "Kept", "Kind", "SignalSettings"]

Kept = SparseTargets | SampledTargets
Stored = Mapping[str, Tensor]
"""Tensors by name, ``[N]`` or ``[N, k]``; ``ids`` is there in every kind."""


@dataclass(frozen=True)
class SignalSettings:
    """What is kept of the teacher's distribution at each answer token.

    Attributes:
        kind: One of ``KINDS``.
        tokens: How many tokens of the vocabulary.
        temperature: Of the loss; what is kept can't be used at another.
        seed: Of the draws, where there are any.
        numbers: What log-probabilities are stored in: "float16", or "float32" for twice the bytes.
    """

    kind: str
    tokens: int
    temperature: float
    seed: int = 0
    numbers: str = "float16"


@dataclass(frozen=True)
class Kind:
    """How one kind of signal is kept.

    Attributes:
        take: From logits ``[N, V]``, a number of tokens, a temperature, and ``[N]`` random offsets to targets.
        store: From targets to what is stored of them.
        restore: From that, its numbers in fp32 again, and the temperature to targets.
    """

    take: Callable[[Tensor, int, float, Tensor], Kept]
    store: Callable[[Any], Stored]
    restore: Callable[[Stored, float], Kept]


def _store_top_k(targets: SparseTargets) -> Stored:
    """Ids from the most likely on, the log-probabilities of all others and of the bucket, and the log-sum-exp.

    What the most likely token has is what the others leave, so it need not be stored; it is better known so than by
    a number of its own where it is nearly all.
    """
    others = torch.cat([targets.log_probs[:, 1:], targets.log_tail[:, None]], dim=-1)
    return {"ids": targets.ids, "log_others": others, "log_sum_exp": targets.log_sum_exp}


def _restore_top_k(stored: Stored, temperature: float) -> SparseTargets:
    others = stored["log_others"]
    second = others[:, :-1].amax(-1) if others.shape[1] > 1 else torch.full_like(others[:, 0], -torch.inf)
    left = (1 - others.exp().sum(-1)).clamp(min=torch.finfo(torch.float32).tiny)
    first = torch.maximum(left.log(), second)  # rounding can leave the most likely token less than the next one
    log_probs = torch.cat([first[:, None], others[:, :-1]], dim=-1)
    return SparseTargets(stored["ids"], log_probs, others[:, -1], stored["log_sum_exp"], temperature).normalized()


KINDS = {
    "top_k": Kind(lambda logits, k, t, _: sparse_targets(logits, k, t), _store_top_k, _restore_top_k),
    "sampled": Kind(
        sampled_targets,
        lambda targets: {"ids": targets.ids, "entropy": targets.entropy},
        lambda stored, temperature: SampledTargets(stored["ids"], stored["entropy"], temperature),
    ),
}
"""Name to kind."""
