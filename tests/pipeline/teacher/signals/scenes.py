"""Samples without text, as many as are wanted, and signals that are taken of them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attar.pipeline.data.render import RenderedSample
from attar.pipeline.student import cut
from attar.pipeline.teacher import LoadedModel, load_model
from attar.pipeline.teacher.signals import (
    CachedSignals,
    OnlineSignals,
    SignalSettings,
    SignalStore,
    capture,
    identity_of,
)
from attar.pipeline.training.batches import Packed, pack_all
from attar.pipeline.training.distillation import Pair

TOP_4 = SignalSettings("top_k", 4, 2.0)


def samples(records: int, questions: int = 3, seed: int = 0, answer: int = 6) -> list[RenderedSample]:
    """Questions on records, of random tokens and uneven lengths."""
    chance = random.Random(seed)

    def ids(least: int, most: int) -> tuple[int, ...]:
        return tuple(chance.randrange(3, 300) for _ in range(chance.randint(least, most)))

    made = []
    for record in range(records):
        shared = ids(5, 40)
        made += [
            RenderedSample(f"{record}-{question}", str(record), (*shared, *ids(2, 6)), (*ids(1, answer - 1), 2))
            for question in range(questions)
        ]
    return made


def packed(records: int, **options: Any) -> list[Packed]:
    return pack_all(samples(records, **options), 2)


def loaded(folder: Path) -> LoadedModel:
    teacher = load_model(str(folder))
    teacher.model.requires_grad_(False).eval()
    return teacher


def paired(teacher: LoadedModel, layers: Sequence[int] = (0, 3)) -> Pair:
    return Pair.of(teacher.model, cut(teacher.model, list(layers)), teacher.tokenizer.vocabulary_size, is_cut=True)


def online(teacher: LoadedModel) -> OnlineSignals:
    return OnlineSignals(teacher.model, teacher.tokenizer.vocabulary_size)


def store_at(
    folder: Path, teacher: LoadedModel, signals: OnlineSignals, settings: SignalSettings = TOP_4
) -> SignalStore:
    identity = identity_of(teacher.model, teacher.tokenizer, signals.tokens, signals.precision, settings)
    return SignalStore(folder, identity)


def cached(
    folder: Path,
    teacher: LoadedModel,
    signals: OnlineSignals,
    sequences: Sequence[Packed],
    settings: SignalSettings = TOP_4,
    batch_tokens: int = 512,
) -> CachedSignals:
    store = store_at(folder, teacher, signals, settings)
    capture(signals, sequences, store, settings, batch_tokens=batch_tokens)
    return CachedSignals(store, settings)
