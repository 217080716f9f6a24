"""The kinds of signal that can be kept: how each is taken from dense logits and made into targets again.

A kind is one line of ``KINDS``. Does not know files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor

from ...losses import SampledTargets, SparseTargets, sampled_targets, sparse_targets

__all__ = ["KINDS", "Kept", "Kind", "SignalSettings"]

Kept = SparseTargets | SampledTargets


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
    """How one kind of signal is taken and restored.

    Attributes:
        targets: The class of its targets; its tensors are what is stored.
        take: From logits ``[N, V]``, a number of tokens, a temperature, and ``[N]`` random offsets to targets.
        mend: What is done to targets that were stored in few bits.
    """

    targets: type[Any]
    take: Callable[[Tensor, int, float, Tensor], Kept]
    mend: Callable[[Any], Kept]

    def stored(self, targets: Kept) -> dict[str, Tensor]:
        """The tensors of targets, by name."""
        values = {field.name: getattr(targets, field.name) for field in fields(targets)}
        return {name: value for name, value in values.items() if isinstance(value, Tensor)}

    def restored(self, stored: Mapping[str, Tensor], temperature: float) -> Kept:
        """Targets from those tensors."""
        full = {name: value if name == "ids" else value.to(torch.float32) for name, value in stored.items()}
        return self.mend(self.targets(**full, temperature=temperature))


KINDS = {
    "top_k": Kind(SparseTargets, lambda logits, k, t, _: sparse_targets(logits, k, t), SparseTargets.normalized),
    "sampled": Kind(SampledTargets, sampled_targets, lambda targets: targets),
}
"""Name to kind."""
