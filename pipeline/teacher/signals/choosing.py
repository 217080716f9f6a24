"""Which signals training takes: the teacher at hand, or files that it fills first.

Files where nothing needs more: they cost one forward pass over the samples, and every further epoch goes without a
teacher. Does not know training.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Sequence
from pathlib import Path

from torch import nn

from attar.runtime.errors import UsageError
from attar.runtime.text import ChatTokenizer

from ...config import DistillationConfig
from ...losses import DistillationLoss
from ...progress import say
from ...training.batches import Packed, visits
from .cached import CachedSignals
from .capture import capture
from .identity import identity_of
from .kinds import SignalSettings
from .online import OnlineSignals
from .signal import Signals
from .store import SignalStore

__all__ = ["asks_teacher", "chosen_signals", "why_online"]


def asks_teacher(loss: nn.Module) -> bool:
    """Whether a loss depends on what the teacher says; one of another class may."""
    return not isinstance(loss, DistillationLoss) or loss.asks_teacher


def why_online(loss: nn.Module, *, aligns: bool) -> str | None:
    """What needs the teacher at hand; None where cached signals are enough.

    Args:
        loss: The loss.
        aligns: Whether hidden states are compared.
    """
    if not (isinstance(loss, DistillationLoss) and loss.is_by_token):
        return f"{type(loss).__name__} has a forward of its own, which gets all logits of the teacher at once"
    if aligns:
        return "hidden states are aligned, and only the teacher has them"
    return None


def chosen_signals(
    online: OnlineSignals,
    config: DistillationConfig,
    loss: nn.Module,
    tokenizer: ChatTokenizer,
    sequences: Sequence[Packed],
    *,
    seed: int,
    folder: Path | None = None,
) -> Signals:
    """The signals that a config asks for, captured where they are to be cached; says which and why.

    Args:
        online: The teacher at hand.
        config: The config.
        loss: The loss that they are for.
        tokenizer: The teacher's.
        sequences: What is trained on.
        seed: Of the batches' order: only samples that will come are captured.
        folder: Where cached signals are kept if the config names no folder; by default as long as they are used.

    Raises:
        UsageError: Cached signals are asked for where they are not enough.
        SignalError: Those in the folder are damaged, or of something else.
        Refused: Another process captures into the folder, or something else is there.
    """
    why = why_online(loss, aligns=online.with_states)
    if config.signals == "cached" and why:
        raise UsageError(
            "Cached signals are not enough.",
            where="distillation.signals",
            why=f"{why[0].upper()}{why[1:]}.",
            next_step='Set distillation.signals to "auto" or "online", or leave out what needs the teacher.',
        )
    if not (online.with_states or config.signals == "cached") and not asks_teacher(loss):
        say("distill: the teacher is not asked: distillation.alpha is 0, and no hidden states are aligned")
        return online
    counts = visits(sequences, config.batch_tokens, seed, config.steps)
    if config.signals == "online":
        why = "distillation.signals says so"
    elif config.signals == "auto":
        why = why or _why_not_worth(loss, counts, kept=config.signal_folder is not None)
    if why:
        say(f"distill: teacher online: {why}")
        return online
    assert isinstance(loss, DistillationLoss)  # another would need the teacher at hand
    visited = [sequence for sequence, count in zip(sequences, counts, strict=True) if count]
    return _cached(online, config, loss.temperature, tokenizer, visited, config.signal_folder or folder)


def _why_not_worth(loss: nn.Module, counts: Sequence[int], *, kept: bool) -> str | None:
    """Why cached signals would be possible and yet no gain."""
    if isinstance(loss, DistillationLoss) and type(loss).per_token is not DistillationLoss.per_token:
        return f"{type(loss).__name__} has a per_token of its own, which may want all logits"
    if max(counts) < 2 and not kept:
        return "no sample comes twice, so cached signals would save nothing"
    return None


def _cached(
    online: OnlineSignals,
    config: DistillationConfig,
    temperature: float,
    tokenizer: ChatTokenizer,
    sequences: Sequence[Packed],
    folder: Path | None,
) -> CachedSignals:
    kept = min(config.signal_tokens, online.vocabulary_size) if config.signal_kind == "top_k" else config.signal_tokens
    settings = SignalSettings(config.signal_kind, kept, temperature, config.seed)
    identity = identity_of(online.teacher, tokenizer, online.tokens, online.precision, settings)
    store = SignalStore(folder or Path(tempfile.mkdtemp(prefix="attar-signals-")), identity)
    capture(online, sequences, store, settings, batch_tokens=config.batch_tokens)
    what = "most likely tokens" if settings.kind == "top_k" else "drawn tokens"
    where = f", in {folder}" if folder else ""
    say(f"distill: signals cached: {settings.tokens} {what}, {store.bytes_per_token:.1f} bytes a token{where}")
    signals = CachedSignals(store, settings)
    if not folder:
        weakref.finalize(signals, shutil.rmtree, store.folder, ignore_errors=True)
    return signals
