"""One cell: a student trained, and what it is worth beside the shared teacher.

Cells of a row begin with the same student: cut and, layer by layer, aligned once. Every cell then takes the recipe's
steps, whatever its loss and however many samples it has, so that cells can be compared; few samples come again more
often. Does not know the order of cells, or where results go.
"""

from __future__ import annotations

import copy
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from attar.pipeline.config import DistillationConfig
from attar.pipeline.data import Sample
from attar.pipeline.data.render import render
from attar.pipeline.evaluation import greedy_answers, score, score_tokens
from attar.pipeline.student.body import Body
from attar.pipeline.teacher import LoadedModel
from attar.pipeline.training.baseline import train_baseline
from attar.pipeline.training.batches import pack_all
from attar.pipeline.training.distiller import ModelDistiller
from attar.pipeline.training.teaching import lessons, teach
from attar.runtime.errors import UsageError

from .cells import DIVERGENCES, FINE_TUNING, RIGHT_ANSWERS, Cell

__all__ = ["Start", "Task", "chosen_samples", "start_row", "train_cell"]

_WITHOUT_TEACHER = {"alpha": 0.0, "alignment": 0.0}


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


@dataclass(frozen=True)
class Start:
    """What all cells of a row begin with.

    Attributes:
        teacher: The corrected one.
        student: Cut and aligned, never changed.
        body: What of the teacher it is made of.
        samples: Those of the row.
        seconds: What it took, named.
    """

    teacher: LoadedModel
    student: LoadedModel
    body: Body
    samples: Sequence[Sample]
    seconds: dict[str, float]


def start_row(task: Task, cell: Cell, layers: Sequence[int] | None) -> Start:
    """Cut and align the student of a cell's row.

    Args:
        task: What all cells share.
        cell: Any of the row.
        layers: Those that an earlier call found for this row; None where there is none.

    Raises:
        CheckFailed: The alignment's loss stopped being a number.
        UsageError: The recipe's student is no cut of its teacher, or cut in more steps than one.
    """
    samples, settings = chosen_samples(task.train, cell.samples, cell.seed), _settings(task, cell, layers)
    started = time.monotonic()
    distiller = ModelDistiller(settings)
    student = distiller.load_student_model(samples)
    body, teacher = distiller.body, distiller.teacher
    ways = list(lessons(settings, teacher, student, body)) if teacher and body else []
    if not (teacher and body and len(ways) == 1):
        raise UsageError("Cells begin with a student that is cut from its teacher at once; the recipe's is not.")
    cut = time.monotonic()
    sequences = pack_all(render(samples, student.tokenizer), settings.questions_per_sequence)
    teach(replace(ways[0], steps=0), settings, distiller.loss, sequences, (), precision=distiller.precision)
    seconds = {"cut": round(cut - started, 1), "alignment": round(time.monotonic() - cut, 1)}
    return Start(teacher, student, body, samples, seconds)


def train_cell(task: Task, cell: Cell, start: Start) -> dict[str, Any]:
    """Train and score one student; returns what was found, as JSON values.

    Args:
        task: What all cells share.
        cell: Which one.
        start: That of its row.

    Raises:
        CheckFailed: The loss stopped being a number.
    """
    started = time.monotonic()
    settings = _settings(task, cell, start.body.layers)
    distiller = ModelDistiller(settings.model_copy(update={"fitting_tokens": 0, "alignment_steps": 0}))
    if cell.loss == FINE_TUNING:
        student = train_baseline(settings, start.samples)
    else:
        distiller.teacher, distiller.body = start.teacher, start.body
        distiller.student = replace(start.student, model=copy.deepcopy(start.student.model))
        student = distiller.distill(start.samples)
    trained = time.monotonic()
    worth = _worth(task, start.teacher, student, distiller.precision)
    seconds = {"training": trained - started, "scoring": time.monotonic() - trained}
    return {
        "layers": start.body.layers,
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
    if cell.loss in DIVERGENCES:
        known["loss"] = cell.loss
    known |= {"layer_choice": cell.choice} if layers is None else {"student_layers": list(layers)}
    settings = DistillationConfig.model_validate(known)
    return settings.model_copy(update=_WITHOUT_TEACHER) if cell.loss == RIGHT_ANSWERS else settings


def _worth(task: Task, teacher: LoadedModel, student: LoadedModel, precision: str) -> dict[str, Any]:
    """Scores of the student's own answers, and of its tokens beside the teacher's."""
    student.model.eval()
    answers = greedy_answers(
        student, task.test, max_new_tokens=task.max_new_tokens, precision=precision, title="answer"
    )
    _, tokens = score_tokens(teacher, {"student": student}, task.test, precision=precision)
    scores = score(answers, [sample.answer for sample in task.test])
    return {"scores": scores.to_dict(), "tokens": tokens["student"].to_dict()}
