"""Stage ``teacher``: the teacher, scored as it came, corrected, and scored again. Does not know students."""

from __future__ import annotations

from functools import partial
from typing import Any

from ..config import RunConfig
from .data import test_samples, training_samples
from .scoring import score_torch, spread, write_answers
from .store import Stage, Work

__all__ = ["MODEL", "stage"]

MODEL = "model"
_SETTINGS = frozenset(
    {
        "teacher_model_name",
        "correction",
        "batch_tokens",
        "questions_per_sequence",
        "precision",
        "compiled",
        "warmup",
        "held_out",
        "seed",
    }
)


def stage(config: RunConfig) -> Stage:
    """The stage for a config."""
    settings = config.distillation.model_dump(mode="json", include=set(_SETTINGS))
    measurement = config.measurement.model_dump(mode="json", include={"max_new_tokens", "uncorrected_questions"})
    inputs = {"distillation": settings, "measurement": measurement}
    return Stage("teacher", __name__, inputs, partial(_work, config), needs=("data",))


def _work(config: RunConfig, work: Work) -> dict[str, Any]:
    from ..progress import say
    from ..teacher import save_model
    from ..training.distiller import ModelDistiller

    data, remember = work.products["data"], work.checkpoints.remember
    test = test_samples(data)
    distiller = ModelDistiller(config.distillation, checkpoints=work.checkpoints)
    say(f"teacher: loading {config.distillation.teacher_model_name}")
    teacher = distiller.load_teacher_model()
    title = "score teacher as it came"
    steps = config.distillation.correction.steps
    first = spread(test, config.measurement.uncorrected_questions if steps else None)
    found = remember(title, lambda: score_torch(config, teacher, first, title))
    scores = {"teacher": found["scores"]}
    if steps:
        distiller.correct_teacher(training_samples(data))
        again = "score corrected teacher"
        found = remember(again, lambda: score_torch(config, teacher, test, again))
    scores["corrected_teacher"] = found["scores"]
    write_answers(work.folder, found["answers"])
    save_model(teacher, work.folder / MODEL)
    return {"scores": scores, "parameters": teacher.parameters}
