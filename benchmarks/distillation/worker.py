"""One way of training in a process of its own: epoch by epoch, as it is told, with what each took.

A process of its own, as attar's training sets how the C library keeps memory, for the whole process, and as only so a
peak is one way's alone. Writes one JSON line when it is ready, and one for each line that it reads.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from attar.pipeline.measurement.memory import peak, reset_peak
from attar.pipeline.teacher.signals import CachedSignals, Signals, SignalSettings, SignalStore, capture, identity_of
from attar.pipeline.training.compiled import compiled_layers, pays
from attar.pipeline.training.correction import correct
from attar.pipeline.training.distillation import distill
from attar.pipeline.training.loop import Schedule
from attar.pipeline.versions import installed_versions, this_machine

from .plain import PlainLoop
from .scene import Scene, scene, tokens_alone

__all__ = ["WAYS"]

_RATE = 1e-4
"""Low enough that hours of epochs over a few records do no harm."""
_PLAIN_SAMPLES = 32
"""What an epoch of the plain loop has: it takes long enough."""

Way = tuple[Callable[[], object], dict[str, Any]]
"""An epoch, and what is known of it: at least the tokens that it reads, and those of its samples alone."""


def _distilled(place: Scene, signals: Signals) -> None:
    config = place.distiller.config
    distill(
        place.pair,
        place.distiller.loss,
        place.sequences,
        Schedule(place.steps, _RATE),
        alignment=0.0,
        batch_tokens=config.batch_tokens,
        precision=place.distiller.precision,
        seed=0,
        signals=signals,
    )


def _reads(place: Scene) -> dict[str, Any]:
    return {"tokens": place.tokens, "samples_tokens": tokens_alone(place.samples)}


@contextmanager
def _online(place: Scene) -> Iterator[Way]:
    signals = place.pair.online_signals(place.distiller.precision, with_states=False)
    yield lambda: _distilled(place, signals), _reads(place)


@contextmanager
def _cached(place: Scene) -> Iterator[Way]:
    config, teacher = place.distiller.config, place.distiller.teacher
    assert teacher is not None
    online = place.pair.online_signals(place.distiller.precision, with_states=False)
    settings = SignalSettings(config.signal_kind, config.signal_tokens, place.distiller.loss.temperature)
    identity = identity_of(teacher.model, teacher.tokenizer, online.tokens, online.precision, settings)
    with TemporaryDirectory() as name:
        for folder in ("compiling", "timed"):
            store, started = SignalStore(Path(name) / folder, identity), time.perf_counter()
            capture(online, place.sequences, store, settings, batch_tokens=config.batch_tokens)
            taken = {"seconds": time.perf_counter() - started, "bytes_per_token": store.bytes_per_token}
        signals = CachedSignals(store, settings)
        yield lambda: _distilled(place, signals), {**_reads(place), "capture": taken}


@contextmanager
def _plain_loop(place: Scene) -> Iterator[Way]:
    loop, few = PlainLoop(place, _RATE), place.samples[:_PLAIN_SAMPLES]
    tokens = tokens_alone(few)
    yield lambda: loop.epoch(few), {"tokens": tokens, "samples_tokens": tokens}


@contextmanager
def _correction(place: Scene) -> Iterator[Way]:
    schedule, config = Schedule(place.steps, _RATE), place.distiller.config
    precision = place.distiller.precision

    def epoch() -> None:
        teacher = place.pair.teacher
        correct(teacher, place.sequences, schedule, batch_tokens=config.batch_tokens, precision=precision, seed=0)

    yield epoch, _reads(place)


WAYS = {"online": _online, "cached": _cached, "plain_loop": _plain_loop, "correction": _correction}


def _tell(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def main(way: str, sequences: int, teacher: str, compiled: bool) -> None:
    """Make the scene, say what it is, and run an epoch for each line of standard input."""
    torch.manual_seed(0)
    place = scene(sequences, teacher or None)
    compiles = way != "plain_loop" and pays(compiled, 0, 0)
    with compiled_layers(place.pair.teacher, place.pair.student, when=compiles), WAYS[way](place) as (epoch, known):
        _tell({**known, **place.to_dict(), "compiled": compiles} | _here())
        for _ in sys.stdin:
            reset_peak()
            started = time.perf_counter()
            epoch()
            _tell({"seconds": time.perf_counter() - started, "peak": peak()})


def _here() -> dict[str, Any]:
    return {"versions": installed_versions(), "machine": this_machine()}


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4] == "compiled")
