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
        return Signal(KINDS[self.settings.kind].restore(stored, self.settings.temperature).at)


def _tensor(values: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> Tensor:
    """As torch computes with it: whole numbers in 64 bits, others in 32."""
    return torch.from_numpy(values.astype(np.int64 if values.dtype.kind == "u" else np.float32))
