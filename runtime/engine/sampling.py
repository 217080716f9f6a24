"""Which token comes next: greedy, or sampled with temperature, top-k and top-p.

Pure functions on logits. Does not know the graph.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError

__all__ = ["SamplingSettings", "next_token"]


@dataclass(frozen=True)
class SamplingSettings:
    """How tokens are chosen.

    Attributes:
        temperature: 0 is greedy.
        top_k: Only the k most likely tokens; 0 is all.
        top_p: Only the smallest set of tokens whose probability reaches p.
        seed: The same seed gives the same tokens; None draws a new one.

    Raises:
        UsageError: A value is out of its range.
    """

    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    seed: int | None = None

    def __post_init__(self) -> None:
        if self.temperature < 0 or self.top_k < 0 or not 0 < self.top_p <= 1:
            raise UsageError(
                f"These sampling settings make no sense: {self}.",
                next_step="Use temperature >= 0, top_k >= 0 and 0 < top_p <= 1.",
            )


def next_token(logits: NDArray[np.float32], settings: SamplingSettings, rng: np.random.Generator) -> int:
    """The next token from ``[V]`` logits."""
    if settings.temperature == 0:
        return int(logits.argmax())
    candidates = np.arange(logits.size)
    if 0 < settings.top_k < logits.size:
        candidates = np.argpartition(logits, -settings.top_k)[-settings.top_k :]
    scaled = logits[candidates].astype(np.float64) / settings.temperature
    probabilities = np.exp(scaled - scaled.max())
    probabilities /= probabilities.sum()
    if settings.top_p < 1:
        candidates, probabilities = _nucleus(candidates, probabilities, settings.top_p)
    return int(rng.choice(candidates, p=probabilities))


def _nucleus(
    candidates: NDArray[np.int64], probabilities: NDArray[np.float64], top_p: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Holtzman et al., "The Curious Case of Neural Text Degeneration" (arXiv 1904.09751), section 3.1."""
    order = np.argsort(-probabilities, kind="stable")
    reached = int(np.searchsorted(np.cumsum(probabilities[order]), top_p)) + 1
    kept = order[:reached]
    return candidates[kept], probabilities[kept] / probabilities[kept].sum()
