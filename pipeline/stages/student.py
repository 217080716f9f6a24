"""Stage ``student``: the corrected teacher in, a trained student out. Does not know bundles."""

from __future__ import annotations

from functools import partial
from typing import Any

from attar.runtime.files import write_json

from ..config import CorrectionConfig, RunConfig
from .data import test_samples, training_samples
from .scoring import score_torch, write_answers
from .store import Stage, Work
from .teacher import MODEL

__all__ = ["stage"]

_NO_INFLUENCE = frozenset({"output", "signal_folder", "teacher_license", "checkpoint_seconds"})


def stage(config: RunConfig) -> Stage:
    """The stage for a config."""
    inputs = {
        "distillation": config.distillation.model_dump(mode="json", exclude=set(_NO_INFLUENCE)),
        "max_new_tokens": config.measurement.max_new_tokens,
    }
    return Stage("student", __name__, inputs, partial(_work, config), needs=("data", "teacher"))


def _work(config: RunConfig, work: Work) -> dict[str, Any]:
    from ..training.distiller import PLACES, SETTINGS_FILE, ModelDistiller

    data, teacher = work.products["data"], work.products["teacher"]
    corrected = {"teacher_model_name": str(teacher.path / MODEL), "correction": CorrectionConfig(steps=0)}
    settings = config.distillation.model_copy(update=corrected)
    distiller = ModelDistiller(settings, checkpoints=work.checkpoints)
    student = distiller.distill(training_samples(data))
    distiller.save_distilled_model(work.folder / MODEL)
    # As the user set them, not where this run keeps its teacher: equal runs have equal files.
    write_json(work.folder / MODEL / SETTINGS_FILE, config.distillation.model_dump(mode="json", exclude=set(PLACES)))
    title = "score student"
    found = work.checkpoints.remember(title, lambda: score_torch(config, student, test_samples(data), title))
    write_answers(work.folder, found["answers"])
    body: dict[str, Any] = {"layers": distiller.body.layers} if distiller.body else {}
    body["tokens"] = student.tokenizer.vocabulary_size
    return {"scores": {"student": found["scores"]}, "parameters": student.parameters, "body": body}
