"""A deep cut made in steps: how many layers stand on the way, which they are, and what each step gets of the training.

A student of half its teacher's layers heals in minutes, and one of a third, cut at once, in hours; cut from the healed
half, which then teaches, it heals as fast (benchmarks/LOG.md). The last student is the assistant teacher of the next
("Improved Knowledge Distillation via Teacher Assistant", arXiv 1902.03393). Layers that are chosen by name or spread
evenly are the same however many steps lead to them. Does not know models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from attar.runtime.errors import UsageError

from ..config import DistillationConfig

__all__ = ["Cut", "counts_on_the_way", "halvings", "layers_on_the_way", "planned_cuts", "shared_steps"]

_ROUNDING = 1e-6
"""Of a step: without it 0.8 of 800 leaves 159.99 steps."""


@dataclass(frozen=True)
class Cut:
    """One student, on the way or the last.

    Attributes:
        layers: How many it has.
        alignment_steps: Steps in which each of them learns alone.
        steps: Steps of its distillation.
    """

    layers: int
    alignment_steps: int
    steps: int


def planned_cuts(config: DistillationConfig, total: int, keep: int) -> list[Cut]:
    """The students of a config in the order of their training, the last one last.

    Args:
        config: What is asked for.
        total: Layers of the teacher.
        keep: Layers of the student.

    Raises:
        UsageError: ``distillation.cuts`` do not lead from the teacher down to the student.
    """
    if config.student_model_name is not None:
        return [Cut(keep, 0, config.steps)]
    counts = [*counts_on_the_way(None if config.cuts == "auto" else config.cuts, total, keep), keep]
    aligned, steps = (
        shared_steps(every, len(counts), config.last_cut_share) for every in (config.alignment_steps, config.steps)
    )
    return [Cut(*cut) for cut in zip(counts, aligned, steps, strict=True)]


def halvings(total: int, keep: int) -> list[int]:
    """Layer counts between a teacher's and a student's: halves, until the student has half of the last or more."""
    counts: list[int] = []
    left = total
    while keep < left // 2:
        left = -(-left // 2)
        counts.append(left)
    return counts


def counts_on_the_way(wanted: Sequence[int] | None, total: int, keep: int) -> list[int]:
    """Layer counts of the students before the last, descending.

    Args:
        wanted: Those that were asked for; None takes :func:`halvings`.
        total: Layers of the teacher.
        keep: Layers of the student.

    Raises:
        UsageError: They do not lead from the teacher down to the student.
    """
    if wanted is None:
        return halvings(total, keep)
    counts = list(wanted)
    way = [total, *counts, keep]
    if way != sorted(set(way), reverse=True):
        raise UsageError(
            f"Cuts to {', '.join(map(str, counts))} layers do not lead from {total} to {keep}.",
            where="distillation.cuts",
            next_step=f'Name counts below {total} and above {keep}, descending; or set it to "auto", or to [].',
        )
    return counts


def layers_on_the_way(total: int, final: Sequence[int], counts: Sequence[int]) -> list[list[int]]:
    """Numbers of the teacher's layers that each student has, the last one's included, ascending.

    A student on the way has the last one's layers, and as many as are wanted of those between, evenly spread.
    """
    layers, way = list(final), [list(final)]
    for count in reversed(counts):
        others = [number for number in range(total) if number not in layers]
        added = count - len(layers)
        layers = sorted([*layers, *(others[(2 * place + 1) * len(others) // (2 * added)] for place in range(added))])
        way.insert(0, layers)
    return way


def shared_steps(steps: int, students: int, last_share: float) -> list[int]:
    """How many of the steps each student gets: the last one its share, those before it equal parts of the rest."""
    if students == 1:
        return [steps]
    each = int(steps * (1 - last_share) / (students - 1) + _ROUNDING)
    return [*[each] * (students - 1), steps - each * (students - 1)]
