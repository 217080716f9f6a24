"""Progress on long work: a bar on a terminal, plain lines elsewhere, always on standard error.

Does not know what is being counted.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

__all__ = ["Progress", "say", "track"]

_SECONDS_BETWEEN_LINES = 15.0


class Progress(Protocol):
    """Told how far the work is."""

    def __call__(self, steps: int = 1, **figures: float) -> None:
        """Go on by some steps; figures such as ``loss=0.3`` are shown beside them."""


def say(text: str) -> None:
    """One line for people."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def track(title: str | None, total: int, *, done: int = 0) -> Iterator[Progress]:
    """Show the progress of ``total`` steps, some of which may have been done before; without a title, nothing."""
    if title is None:
        yield lambda steps=1, **figures: None
        return
    with (_bar if sys.stderr.isatty() else _lines)(title, total, done) as progress:
        yield progress


@contextmanager
def _bar(title: str, total: int, done: int) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[figures]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with RichProgress(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task(title, total=total, completed=done, figures="")

        def advance(steps: int = 1, **figures: float) -> None:
            bars.update(task, advance=steps, figures=_written(figures))

        yield advance


@contextmanager
def _lines(title: str, total: int, done: int) -> Iterator[Progress]:
    started = last = time.monotonic()
    before = done

    def advance(steps: int = 1, **figures: float) -> None:
        nonlocal done, last
        done += steps
        now = time.monotonic()
        if now - last >= _SECONDS_BETWEEN_LINES or done >= total:
            last = now
            left = (now - started) / max(done - before, 1) * max(total - done, 0)
            say(f"{title}: {done}/{total}  {_written(figures)}  {now - started:.0f} s, {left:.0f} s left")

    yield advance


def _written(figures: dict[str, float]) -> str:
    return "  ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in figures.items())
