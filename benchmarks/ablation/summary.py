"""The table and the plot of finished cells, beside their file. Does not train, and does not know what is still to do.

Levels are compared by pairs of cells that differ in nothing else, so that a run that was stopped compares like with
like; the interval is the paired bootstrap's over such pairs.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from attar.pipeline.evaluation.statistics import bootstrap_difference
from attar.pipeline.report.plot import Bar, grouped_bars
from attar.runtime.files import write_atomic

from .cells import CHOICES, FINE_TUNING, LOSSES, RIGHT_ANSWERS, SAMPLES
from .ledger import Ledger

__all__ = ["write_summary"]

_FACTORS: dict[str, tuple[str | int, ...]] = {"choice": CHOICES, "loss": LOSSES, "samples": SAMPLES}
"""What differs, and its levels; others are compared with the first of each."""
_EXACT, _NATS, _DIVERGENCE = ("scores", "exact_match"), ("tokens", "loss"), ("tokens", "divergence")
_COLUMNS = (
    "",
    "cells",
    "training, s",
    "exact match",
    "nats a token",
    "KL from the teacher",
    "exact match, in pairs",
    "nats, in pairs",
)
_LEAST_PAIRS = 3
"""Of fewer pairs no interval is given."""

Line = Mapping[str, Any]


def write_summary(ledger: Ledger) -> None:
    """Write the table and the plot of a ledger's finished cells beside its file; nothing where there is none."""
    if ledger.finished:
        write_atomic(ledger.file.with_suffix(".md"), _table(ledger))
        write_atomic(ledger.file.with_suffix(".svg"), _plot(ledger.finished))


def _table(ledger: Ledger) -> str:
    lines = ledger.finished
    parts = [
        "# Which layers, which divergence, how many samples",
        "",
        *_said(ledger),
        "",
        f"| {' | '.join(_COLUMNS)} |",
        "|---" * len(_COLUMNS) + "|",
        *(_row(lines, factor, level, levels[0]) for factor, levels in _FACTORS.items() for level in levels),
        "",
        "Training: the median, without the alignment that cells share. In pairs: less what the same cell has with the "
        "row's first level (even, forward_kl, 250 samples), all else alike; the 95 % "
        f"interval from {_LEAST_PAIRS} pairs on. Exact match in points.",
        "",
        *_grid(lines),
        "",
        "Exact match in %, the mean over seeds and their standard deviation.",
    ]
    return "\n".join([*parts, ""])


def _said(ledger: Ledger) -> list[str]:
    """What the cells are."""
    lines = ledger.finished
    last = lines[-1]
    settings, seconds = last["settings"], statistics.median(sum(line["seconds"].values()) for line in lines)
    said = [
        f"{len(lines)} students of {last['parameters'] / 1e6:.1f}M parameters and {len(last['layers'])} layers, each "
        f"trained {settings['alignment_steps']} steps of alignment and {settings['steps']} of distillation with "
        f"{settings['batch_tokens']:,} tokens a step, in {settings['precision']}, and asked {last['scores']['n']} "
        f"held-out questions; the median one took {seconds:.0f} s on {last['machine']['processor']}, "
        f"{last['machine']['threads']} threads.",
        f"They are unfinished, so that many can be had: compare them with each other alone. `{RIGHT_ANSWERS}` takes "
        "cross-entropy in the distillation's place, after the same alignment by the teacher; it and each divergence "
        f"begin with the same aligned student. `{FINE_TUNING}` is the baseline of the same body, steps and batches "
        "without a teacher. A divergence is half of the loss, and the layers stay aligned beside it, unless the "
        "settings say otherwise.",
    ]
    if failed := len(ledger.lines) - len(lines):
        said.append(f"Beside them the loss of {failed} stopped being a number.")
    if ledger.others:
        said.append(f"{ledger.others} cells of other code, settings or machines are in the file and not in this table.")
    return said


def _row(lines: Sequence[Line], factor: str, level: str | int, first: str | int) -> str:
    here = [line for line in lines if line["cell"][factor] == level]
    name = f"{level:,} samples" if isinstance(level, int) else level
    if not here:
        return f"| {name} | 0 | | | | | | |"
    exact, nats, divergence = (
        statistics.mean(float(line[part][figure]) for line in here) for part, figure in (_EXACT, _NATS, _DIVERGENCE)
    )
    against = ["", ""]
    if level != first:
        pairs = _pairs(lines, factor, level, first)
        against = [_difference(pairs, _EXACT, 100, 1), _difference(pairs, _NATS, 1, 3)]
    seconds = statistics.median(float(line["seconds"]["training"]) for line in here)
    figures = [f"{len(here)}", f"{seconds:.0f}", f"{exact:.1%}", f"{nats:.3f}", f"{divergence:.3f}", *against]
    return f"| {name} | {' | '.join(figures)} |"


def _pairs(lines: Sequence[Line], factor: str, level: str | int, first: str | int) -> list[tuple[Line, Line]]:
    """Lines of one level, each beside that of the first level which is alike in all else."""

    def rest(line: Line) -> tuple[Any, ...]:
        return tuple(value for name, value in sorted(line["cell"].items()) if name != factor)

    firsts = {rest(line): line for line in lines if line["cell"][factor] == first}
    here = [line for line in lines if line["cell"][factor] == level]
    return [(line, firsts[rest(line)]) for line in here if rest(line) in firsts]


def _difference(pairs: Sequence[tuple[Line, Line]], of: tuple[str, str], scale: int, digits: int) -> str:
    if not pairs:
        return "no pair yet"
    ours, theirs = ([float(line[of[0]][of[1]]) * scale for line in side] for side in zip(*pairs, strict=True))
    found = bootstrap_difference(ours, theirs)
    ends = f" ({found.low:+.{digits}f} to {found.high:+.{digits}f})" if len(pairs) >= _LEAST_PAIRS else ""
    return f"{found.value:+.{digits}f}{ends}, {len(pairs)} pair{'s' if len(pairs) > 1 else ''}"


def _grid(lines: Sequence[Line]) -> list[str]:
    """Exact match of every cell."""
    columns = [(choice, count) for choice in CHOICES for count in SAMPLES]
    found = [
        "| | " + " | ".join(f"{choice}, {count:,}" for choice, count in columns) + " |",
        "|---" * (1 + len(columns)) + "|",
    ]
    for loss in LOSSES:
        found.append(f"| {loss} | {' | '.join(_place(lines, choice, loss, count) for choice, count in columns)} |")
    return found


def _place(lines: Sequence[Line], choice: str, loss: str, samples: int) -> str:
    values = _exact(lines, choice, loss, samples)
    if not values:
        return ""
    spread = f" ± {100 * statistics.stdev(values):.1f}" if len(values) > 1 else ""
    return f"{100 * statistics.mean(values):.1f}{spread}"


def _plot(lines: Sequence[Line]) -> str:
    """Mean exact match of each loss, a bar for each choice of layers; whiskers go from the least to the most."""
    groups = {
        f"{loss}, {count:,}": [_bar(_exact(lines, choice, loss, count)) for choice in CHOICES]
        for count in SAMPLES
        for loss in LOSSES
    }
    title = "Exact match of unfinished students by loss and samples; mean, least and most over seeds"
    return grouped_bars(title, CHOICES, groups)


def _bar(values: Sequence[float]) -> Bar | None:
    return Bar(statistics.mean(values), min(values), max(values)) if values else None


def _exact(lines: Sequence[Line], choice: str, loss: str, samples: int) -> list[float]:
    """One for each seed."""
    wanted = {"choice": choice, "loss": loss, "samples": samples}
    return [float(line["scores"]["exact_match"]) for line in lines if wanted.items() <= line["cell"].items()]
