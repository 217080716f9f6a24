"""One cell: its samples and its body, a student trained, and what it is worth beside the shared teacher.

Every cell takes the recipe's steps, whatever its loss and however many samples it has, so that cells can be compared;
few samples come again more often. Does not know the order of cells, or where results go.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from attar.pipeline.config import DistillationConfig
from attar.pipeline.data import Sample
from attar.pipeline.evaluation import greedy_answers, score, score_tokens
from attar.pipeline.teacher import LoadedModel
from attar.pipeline.training.baseline import train_baseline
from attar.pipeline.training.distiller import ModelDistiller

from .cells import FINE_TUNING, Cell

__all__ = ["Task", "chosen_samples", "train_cell"]


@dataclass(frozen=True)
class Task:
    """What all cells share.

    Attributes:
        settings: The recipe's, with the corrected teacher's folder.
        train: The training split, of which each cell takes some.
        test: The questions that every cell answers.
        max_new_tokens: Limit of an answer.
    """

    settings: DistillationConfig
    train: Sequence[Sample]
    test: Sequence[Sample]
    max_new_tokens: int


def train_cell(task: Task, cell: Cell, layers: Sequence[int] | None) -> dict[str, Any]:
    """Train and score one student; returns what was found, as JSON values.

    Args:
        task: What all cells share.
        cell: Which one.
        layers: Those that an earlier cell of the same choice, samples and seed found; None where there is none.
    """
    samples = chosen_samples(task.train, cell.samples, cell.seed)
    started = time.monotonic()
    distiller = ModelDistiller(_settings(task, cell, layers))
    student = distiller.load_student_model(samples)
    body, teacher = distiller.body, distiller.teacher
    assert body is not None and teacher is not None  # a recipe cuts its students
    cut = time.monotonic()
    if cell.loss == FINE_TUNING:
        student = train_baseline(_settings(task, cell, body.layers), samples)
    else:
        student = distiller.distill(samples)
    trained = time.monotonic()
    worth = _worth(task, teacher, student, distiller.precision)
    seconds = {"cut": cut - started, "training": trained - cut, "scoring": time.monotonic() - trained}
    return {
        "layers": body.layers,
        "parameters": student.parameters,
        **worth,
        "seconds": {name: round(value, 1) for name, value in seconds.items()},
    }


def chosen_samples(train: Sequence[Sample], count: int, seed: int) -> list[Sample]:
    """So many samples on records drawn at random, all of a record's together; fewer are a part of more."""
    groups: dict[str, list[Sample]] = {}
    for sample in train:
        groups.setdefault(sample.group, []).append(sample)
    order = random.Random(seed).sample(sorted(groups), len(groups))
    return [sample for group in order for sample in groups[group]][:count]


def _settings(task: Task, cell: Cell, layers: Sequence[int] | None) -> DistillationConfig:
    known = task.settings.model_dump() | {"seed": cell.seed}
    if cell.loss != FINE_TUNING:
        known["loss"] = cell.loss
    known |= {"layer_choice": cell.choice} if layers is None else {"student_layers": list(layers)}
    return DistillationConfig.model_validate(known)


def _worth(task: Task, teacher: LoadedModel, student: LoadedModel, precision: str) -> dict[str, Any]:
    """Scores of the student's own answers, and of its tokens beside the teacher's."""
    student.model.eval()
    answers = greedy_answers(
        student, task.test, max_new_tokens=task.max_new_tokens, precision=precision, title="answer"
    )
    _, tokens = score_tokens(teacher, {"student": student}, task.test, precision=precision)
    scores = score(answers, [sample.answer for sample in task.test])
    return {"scores": scores.to_dict(), "tokens": tokens["student"].to_dict()}
