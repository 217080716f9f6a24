"""Stage ``student``: the corrected teacher in, a trained student out. Does not know bundles."""

from __future__ import annotations

from functools import partial
from typing import Any

from attar.runtime.files import write_json

from ..config import RunConfig
from .data import training_samples
from .store import Stage, Work
from .students import inputs_of, scored, taught_by_product
from .teacher import MODEL

__all__ = ["stage"]


def stage(config: RunConfig) -> Stage:
    """The stage for a config."""
    return Stage("student", __name__, inputs_of(config), partial(_work, config), needs=("data", "teacher"))


def _work(config: RunConfig, work: Work) -> dict[str, Any]:
    from ..training.distiller import PLACES, SETTINGS_FILE, ModelDistiller

    distiller = ModelDistiller(taught_by_product(config, work), checkpoints=work.checkpoints)
    student = distiller.distill(training_samples(work.products["data"]))
    distiller.save_distilled_model(work.folder / MODEL)
    # As the user set them, not where this run keeps its teacher: equal runs have equal files.
    write_json(work.folder / MODEL / SETTINGS_FILE, config.distillation.model_dump(mode="json", exclude=set(PLACES)))
    scores = scored(config, work, student, "student")
    body: dict[str, Any] = {"layers": distiller.body.layers} if distiller.body else {}
    body["tokens"] = student.tokenizer.vocabulary_size
    return {"scores": {"student": scores}, "parameters": student.parameters, "body": body}
