"""Signals from files, found by sample and position. Does not know the teacher that they are of."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...training.batches import Batch
from .identity import key_of
from .kinds import KINDS, SignalSettings
from .signal import Signal
from .store import SignalStore

__all__ = ["CachedSignals"]


@dataclass(frozen=True)
class CachedSignals:
    """A teacher's signals in a store.

    Attributes:
        store: Where they are.
        settings: What was kept of them.
    """

    store: SignalStore
    settings: SignalSettings

    @property
    def is_online(self) -> bool:
        """False."""
        return False

    def at_hand(self) -> AbstractContextManager[None]:
        """Nothing has to be done."""
        return nullcontext()

    def of(self, batch: Batch) -> Signal:
        """What was kept of the batch's samples.

        Raises:
            SignalError: There is nothing of one of them.
        """
        columns = self.store.read([key_of(sample) for sample in batch.samples])
        stored = {name: _tensor(values) for name, values in columns.items()}
        return Signal(KINDS[self.settings.kind].restored(stored, self.settings.temperature).at)


def _tensor(values: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> Tensor:
    whole = values.dtype.kind == "u"  # torch has little use for unsigned numbers
    return torch.from_numpy(values.astype(np.int64) if whole else values)
