"""The best weights of a training so far, which it goes back to and ends with.

They are as large as all that is trained and seldom read, so where there are checkpoints they are in a file beside
those, and otherwise in memory. The file that the last checkpoint goes back to stays until there is another checkpoint,
as a training that is killed goes on from that. Does not know scores.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ..checkpoints import Checkpoints

__all__ = ["BestWeights"]


class BestWeights:
    """Copies of weights, by the step after which they were the best.

    Args:
        title: Names the training.
        weights: Those that are copied, and written back to, by name.
        checkpoints: Where files are kept; None keeps the latest copy in memory.
    """

    def __init__(self, title: str, weights: Mapping[str, Tensor], checkpoints: Checkpoints | None) -> None:
        self._title, self._weights, self._checkpoints = title, weights, checkpoints
        self._copies: dict[str, Tensor] = {}
        self._of_checkpoint: int | None = None

    def keep(self, step: int) -> None:
        """Copy the weights as they are, in place of those since the last checkpoint.

        Raises:
            OSError: They can't be written.
        """
        if self._checkpoints:
            weights = {name: weight.detach() for name, weight in self._weights.items()}
            self._checkpoints.keep(self._title, step, weights)
            self._checkpoints.drop_all_but(self._title, {step, self._of_checkpoint})
        else:
            self._copies = {name: weight.detach().clone() for name, weight in self._weights.items()}

    def put_back(self, step: int) -> None:
        """Write the copies of a step over the weights: the latest, or those of the last checkpoint."""
        copies = self._checkpoints.kept(self._title, step) if self._checkpoints else self._copies.items()
        with torch.no_grad():
            for name, copy in copies:
                self._weights[name].copy_(copy)

    def checkpointed(self, step: int | None) -> None:
        """There is a checkpoint that goes back to this step's copies, and to no others; None to none at all."""
        self._of_checkpoint = step
        if self._checkpoints:
            self._checkpoints.drop_all_but(self._title, {step})
