"""The table and the plot of finished cells, beside their file. Does not train, and does not know what is still to do.

Levels are compared by pairs of cells that differ in nothing else, so that a run that was stopped compares like with
like; the interval is the paired bootstrap's over such pairs.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attar.pipeline.evaluation.statistics import bootstrap_difference
from attar.pipeline.report.plot import Bar, grouped_bars
from attar.runtime.files import write_atomic

from .cells import CHOICES, LOSSES, SAMPLES

__all__ = ["write_summary"]

_FACTORS: dict[str, tuple[str | int, ...]] = {"choice": CHOICES, "loss": LOSSES, "samples": SAMPLES}
"""What differs, and its levels; others are compared with the first of each."""
_LEAST_PAIRS = 3
"""Of fewer pairs no interval is given."""

Line = Mapping[str, Any]


def write_summary(results: Path, lines: Sequence[Line]) -> None:
    """Write the table and the plot of these lines, which are of one recipe, beside the results' file."""
    write_atomic(results.with_suffix(".md"), _table(lines))
    write_atomic(results.with_suffix(".svg"), _plot(lines))


def _table(lines: Sequence[Line]) -> str:
    head = "| | cells | exact match | nats a token | KL from the teacher | exact match, pairs alike in all else |"
    parts = [
        "# Which layers, which divergence, how many samples",
        "",
        *_said(lines),
        "",
        head,
        "|---|---|---|---|---|---|",
    ]
    for factor, levels in _FACTORS.items():
        parts += [_row(lines, factor, level, levels[0]) for level in levels]
    return "\n".join([*parts, "", *_grid(lines), ""])


def _said(lines: Sequence[Line]) -> list[str]:
    """What the cells are."""
    last, machines = lines[-1], sorted({line["machine"]["processor"] for line in lines})
    steps, seconds = last["steps"], statistics.median(sum(line["seconds"].values()) for line in lines)
    return [
        f"{len(lines)} students of {last['parameters'] / 1e6:.1f}M parameters and {len(last['layers'])} layers, each "
        f"trained {steps['alignment']} steps of alignment and {steps['distillation']} of distillation with "
        f"{last['batch_tokens']:,} tokens a step, in {last['precision']}, and asked {last['scores']['n']} held-out "
        f"questions; the median one took {seconds:.0f} s on {'; '.join(machines)}.",
        "They are unfinished, so that many can be had: compare them with each other alone. `fine_tuning` is the "
        "baseline of the same body, steps and batches without a teacher.",
    ]


def _row(lines: Sequence[Line], factor: str, level: str | int, first: str | int) -> str:
    here = [line for line in lines if line["cell"][factor] == level]
    name = f"{level:,} samples" if isinstance(level, int) else level
    if not here:
        return f"| {name} | 0 | | | | |"
    exact, nats, divergence = (
        statistics.mean(float(line[part][figure]) for line in here)
        for part, figure in (("scores", "exact_match"), ("tokens", "loss"), ("tokens", "divergence"))
    )
    against = "" if level == first else _difference(lines, factor, level, first)
    return f"| {name} | {len(here)} | {exact:.1%} | {nats:.3f} | {divergence:.3f} | {against} |"


def _difference(lines: Sequence[Line], factor: str, level: str | int, first: str | int) -> str:
    """One level less the first one, over cells that are alike in all else."""
    pairs = _pairs(lines, factor, level, first)
    if not pairs:
        return "no pair yet"
    found = bootstrap_difference([ours for ours, _ in pairs], [theirs for _, theirs in pairs])
    count = f"{len(pairs)} pair{'s' if len(pairs) > 1 else ''}"
    ends = f" ({100 * found.low:+.1f} to {100 * found.high:+.1f})" if len(pairs) >= _LEAST_PAIRS else ""
    return f"{100 * found.value:+.1f}{ends} against {first}, {count}"


def _pairs(lines: Sequence[Line], factor: str, level: str | int, first: str | int) -> list[tuple[float, float]]:
    def rest(line: Line) -> tuple[Any, ...]:
        return tuple(value for name, value in sorted(line["cell"].items()) if name != factor)

    scores = {(line["cell"][factor], rest(line)): float(line["scores"]["exact_match"]) for line in lines}
    alike = {key for at, key in scores if at == level} & {key for at, key in scores if at == first}
    return [(scores[level, key], scores[first, key]) for key in sorted(alike)]


def _grid(lines: Sequence[Line]) -> list[str]:
    """Exact match of every cell, the mean and the standard deviation over seeds."""
    found = [
        "| exact match | " + " | ".join(f"{choice}, {count:,}" for choice in CHOICES for count in SAMPLES) + " |",
        "|---" * (1 + len(CHOICES) * len(SAMPLES)) + "|",
    ]
    for loss in LOSSES:
        cells = (_cell(lines, choice, loss, count) for choice in CHOICES for count in SAMPLES)
        found.append(f"| {loss} | {' | '.join(cells)} |")
    return found


def _cell(lines: Sequence[Line], choice: str, loss: str, samples: int) -> str:
    wanted = {"choice": choice, "loss": loss, "samples": samples}
    values = [float(line["scores"]["exact_match"]) for line in lines if wanted.items() <= line["cell"].items()]
    if not values:
        return ""
    spread = f" ± {100 * statistics.stdev(values):.1f}" if len(values) > 1 else ""
    return f"{100 * statistics.mean(values):.1f}{spread}"


def _plot(lines: Sequence[Line]) -> str:
    """Mean exact match of each loss, a bar for each choice of layers; whiskers go from the least to the most."""
    groups = {
        f"{loss}, {count:,} samples": [_bar(lines, choice, loss, count) for choice in CHOICES]
        for count in SAMPLES
        for loss in LOSSES
    }
    return grouped_bars(
        "Exact match of unfinished students, mean over seeds; whiskers: least and most", CHOICES, groups
    )


def _bar(lines: Sequence[Line], choice: str, loss: str, samples: int) -> Bar | None:
    wanted = {"choice": choice, "loss": loss, "samples": samples}
    values = [float(line["scores"]["exact_match"]) for line in lines if wanted.items() <= line["cell"].items()]
    return Bar(statistics.mean(values), min(values), max(values)) if values else None
