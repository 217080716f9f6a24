"""The divergences in float64, from their definitions: sums over probabilities, nothing in logarithms but logarithms."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

REFERENCES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "forward_kl": lambda q, p: kl(p, q),
    "reverse_kl": lambda q, p: kl(q, p),
    "jensen_shannon": lambda q, p: 0.3 * kl(p, 0.3 * p + 0.7 * q) + 0.7 * kl(q, 0.3 * p + 0.7 * q),
    "skew_forward_kl": lambda q, p: kl(p, 0.25 * p + 0.75 * q),
    "skew_reverse_kl": lambda q, p: kl(q, 0.25 * q + 0.75 * p),
    "alpha_beta": lambda q, p: -(p**0.4 * q**0.5 - 0.4 / 0.9 * p**0.9 - 0.5 / 0.9 * q**0.9).sum(-1) / (0.4 * 0.5),
    "total_variation": lambda q, p: torch.maximum(p - q, torch.zeros(())).sum(-1),
}
"""Name to the divergence of the student's probabilities ``q`` and the teacher's ``p``, with these parameters:"""
PARAMETERS = {"skew": 0.25, "beta": 0.3, "powers": (0.4, 0.5)}


def kl(p: Tensor, q: Tensor) -> Tensor:
    return (p * torch.log(p / q)).sum(-1)


def softmax(logits: Tensor) -> Tensor:
    weights = torch.exp(logits - logits.max(-1, keepdim=True).values.detach())
    return weights / weights.sum(-1, keepdim=True)
