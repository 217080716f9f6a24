"""What training asks a teacher for, wherever that teacher is. Does not know models or files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from ...losses import Targets
from ...training.batches import Batch

__all__ = ["Signal", "Signals"]


@dataclass(frozen=True)
class Signal:
    """What the teacher says of one batch.

    Attributes:
        targets: From a slice of the batch's N answer tokens to what is said of those: dense logits over the student's
            tokens, or sparse targets. Asked slice by slice, so that no more logits exist than are looked at.
        states: The teacher's hidden states ``[B, T, H]``, into its first layer and out of each; empty where they are
            not wanted or not known.
    """

    targets: Callable[[slice], Targets]
    states: Sequence[Tensor] = ()


class Signals(Protocol):
    """Where a teacher's signals come from."""

    @property
    def is_online(self) -> bool:
        """Whether the teacher is at hand: then targets are dense, and there can be hidden states."""

    def at_hand(self) -> AbstractContextManager[None]:
        """In the block, signals can be asked for."""

    def of(self, batch: Batch) -> Signal:
        """The signal of a batch, found by its samples, never by when it comes."""
