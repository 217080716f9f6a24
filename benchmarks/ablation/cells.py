"""The cells of the ablation, and an order in which any stopped run is useful. Does not know models.

Cells of the same layers, samples and seed come in a row, one for each way to train them: they begin with the same
student, and each way meets every other. Which layers and how many samples turn from row to row, so that each level of
one soon meets each of the other. A seed's rows are followed by those of the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["CHOICES", "DIVERGENCES", "FINE_TUNING", "LOSSES", "RIGHT_ANSWERS", "SAMPLES", "Cell", "cells"]

CHOICES = ("even", "lowest", "importance")
DIVERGENCES = ("forward_kl", "reverse_kl", "jensen_shannon", "skew_forward_kl")
RIGHT_ANSWERS = "right_answers"
"""In the place of a divergence: the teacher is asked in the layers' alignment alone, then cross-entropy teaches."""
FINE_TUNING = "fine_tuning"
"""In the place of a divergence: the baseline of the same body, steps and batches, which no teacher ever helps."""
LOSSES = (*DIVERGENCES, RIGHT_ANSWERS, FINE_TUNING)
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

    @property
    def row(self) -> tuple[str, int, int]:
        """What cells have in common that begin with the same student."""
        return self.choice, self.samples, self.seed

    def to_dict(self) -> dict[str, Any]:
        """The same, for JSON."""
        return asdict(self)


def cells(seeds: int) -> Iterator[Cell]:
    """All cells of so many seeds, in order."""
    for seed in range(seeds):
        for number in range(len(CHOICES) * len(SAMPLES)):
            turn, choice = divmod(number, len(CHOICES))
            samples = SAMPLES[(choice + turn + seed) % len(SAMPLES)]
            for loss in LOSSES:
                yield Cell(CHOICES[choice], loss, samples, seed)
