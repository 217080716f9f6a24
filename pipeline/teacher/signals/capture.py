"""Capture: the teacher is asked once, and what it says is kept.

Works through fixed shards of samples, each of which is there whole or not at all, so that a capture that was killed
goes on with the first unfinished one, and comes to the very signals of one that was not. Does not know students.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ...data.render import RenderedSample
from ...progress import Progress, track
from ...training.batches import Batch, Packed, by_length, collate
from .identity import key_of
from .kinds import KINDS, SignalSettings
from .online import OnlineSignals
from .store import SignalStore

__all__ = ["capture"]

_SHARD_TOKENS = 8192
"""Answer tokens of a shard: half a megabyte, and what a crash can lose."""
_CHUNK = 64
"""Tokens whose logits exist at a time."""
_SHORT_IDS = 1 << 16


def capture(
    signals: OnlineSignals,
    sequences: Sequence[Packed],
    store: SignalStore,
    settings: SignalSettings,
    *,
    batch_tokens: int,
    shard_tokens: int = _SHARD_TOKENS,
) -> int:
    """Ask the teacher about all samples that the store has no signals of.

    Args:
        signals: The teacher.
        sequences: The samples, packed as training packs them.
        store: Where signals are kept.
        settings: What is kept of them.
        batch_tokens: Tokens of one batch.
        shard_tokens: Answer tokens after which a shard is written.

    Returns:
        How many samples were added.

    Raises:
        Refused: Another process captures into the same folder.
    """
    if _all_there(store, sequences):
        return 0
    before = store.samples
    with store.writing(), signals.at_hand():
        shards = [
            [batch for batch in shard if not _all_there(store, batch)]
            for shard in _shards(by_length(sequences, batch_tokens), shard_tokens)
        ]
        total = sum(len(sequence.labels) for shard in shards for batch in shard for sequence in batch)
        with track("capture signals", total) as progress:
            for shard in filter(None, shards):
                _capture_shard(signals, shard, store, settings, progress)
    return store.samples - before


def _capture_shard(
    signals: OnlineSignals,
    shard: Sequence[Sequence[Packed]],
    store: SignalStore,
    settings: SignalSettings,
    progress: Progress,
) -> None:
    kept: dict[int, dict[str, npt.NDArray[Any]]] = {}
    for sequences in shard:
        batch = collate(sequences)
        columns = _columns(signals, batch, settings)
        start = 0
        for sample in batch.samples:
            place = slice(start, start + len(sample.answer))
            start = place.stop
            if not store.has([key := key_of(sample)])[0]:
                kept[key] = {name: values[place] for name, values in columns.items()}
        progress(len(batch.labels))
    if kept:
        parts = list(kept.values())
        together = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        store.append(list(kept), [len(part["ids"]) for part in parts], together)


def _columns(signals: OnlineSignals, batch: Batch, settings: SignalSettings) -> dict[str, npt.NDArray[Any]]:
    """What is kept of each answer token of a batch."""
    kind, targets, offsets = KINDS[settings.kind], signals.of(batch).targets, _offsets(batch.samples, settings.seed)
    parts = []
    for start in range(0, len(batch.labels), _CHUNK):
        place = slice(start, start + _CHUNK)
        logits = targets(place)
        assert isinstance(logits, Tensor)  # the teacher at hand gives all of them
        parts.append(kind.store(kind.take(logits, settings.tokens, settings.temperature, offsets[place])))
    small = np.uint16 if signals.vocabulary_size <= _SHORT_IDS else np.uint32
    return {
        name: torch.cat([part[name] for part in parts]).numpy().astype(small if name == "ids" else settings.numbers)
        for name in parts[0]
    }


def _offsets(samples: Sequence[RenderedSample], seed: int) -> Tensor:
    """``[N]`` a random number for each answer token, which is the same whenever the sample comes."""
    drawn = [np.random.default_rng([seed, key_of(sample)]).random(len(sample.answer)) for sample in samples]
    return torch.from_numpy(np.concatenate(drawn))


def _shards(batches: Iterator[list[Packed]], shard_tokens: int) -> Iterator[list[list[Packed]]]:
    shard: list[list[Packed]] = []
    tokens = 0
    for batch in batches:
        shard.append(batch)
        tokens += sum(len(sequence.labels) for sequence in batch)
        if tokens >= shard_tokens:
            yield shard
            shard, tokens = [], 0
    if shard:
        yield shard


def _all_there(store: SignalStore, batch: Sequence[Packed]) -> bool:
    return bool(store.has([key_of(sample) for sequence in batch for sample in sequence.samples]).all())
