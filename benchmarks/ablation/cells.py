"""The cells of the ablation, and an order in which any stopped run is useful. Does not know models.

Layers and losses turn at once, so that as many cells in a row as there are pairs of the two hold every pair (their
counts have no common divisor); how many samples turns with both, so that from the start each level meets each other
one about equally often. A seed's cells are followed by its fine-tuned students, and those by the next seed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["CHOICES", "FINE_TUNING", "LOSSES", "SAMPLES", "Cell", "cells"]

CHOICES = ("even", "lowest", "importance")
LOSSES = ("forward_kl", "reverse_kl", "jensen_shannon", "skew_forward_kl")
FINE_TUNING = "fine_tuning"
"""In the place of a loss: the baseline of the same body, steps and batches, which no teacher reads along with."""
SAMPLES = (250, 1_000, 5_000)


@dataclass(frozen=True)
class Cell:
    """One student to train.

    Attributes:
        choice: Which layers it keeps of its teacher.
        loss: What it learns by.
        samples: Training samples.
        seed: Of which samples those are, and of their order.
    """

    choice: str
    loss: str
    samples: int
    seed: int

    def __str__(self) -> str:
        return f"{self.choice}, {self.loss}, {self.samples:,} samples, seed {self.seed}"

    def to_dict(self) -> dict[str, Any]:
        """The same, for JSON."""
        return asdict(self)


def cells(seeds: int) -> Iterator[Cell]:
    """All cells of so many seeds, in order."""
    for seed in range(seeds):
        yield from _in_turn(LOSSES, seed)
        yield from _in_turn((FINE_TUNING,), seed)


def _in_turn(losses: Sequence[str], seed: int) -> Iterator[Cell]:
    pairs = len(CHOICES) * len(losses)
    for number in range(pairs * len(SAMPLES)):
        choice, loss = number % len(CHOICES), number % len(losses)
        level = (choice + loss + number // pairs + seed) % len(SAMPLES)
        yield Cell(CHOICES[choice], losses[loss], SAMPLES[level], seed)
