"""What the stages that train a student share: what their keys are made of, who teaches, how it is scored.

Does not know how a student is trained.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attar.runtime.files import read_json

from ..config import CorrectionConfig, DistillationConfig, RunConfig
from .data import test_samples
from .scoring import score_torch, write_answers
from .store import Product, Work
from .teacher import MODEL

if TYPE_CHECKING:
    from ..student.body import Body
    from ..teacher import LoadedModel

__all__ = ["body_of", "inputs_of", "scored", "taught_by_product"]

_NO_INFLUENCE = frozenset(
    {
        "teacher_model_name",  # the teacher's key has it, and its correction
        "correction",
        "teacher_license",
        "signal_folder",
        "checkpoint_seconds",
        "output",
    }
)


def inputs_of(config: RunConfig) -> dict[str, Any]:
    """What of a config makes a student and its score."""
    return {
        "distillation": config.distillation.model_dump(mode="json", exclude=set(_NO_INFLUENCE)),
        "max_new_tokens": config.measurement.max_new_tokens,
    }


def taught_by_product(config: RunConfig, work: Work) -> DistillationConfig:
    """The settings of a student whose teacher is the stage's product, corrected already."""
    teacher = str(work.products["teacher"].path / MODEL)
    return config.distillation.model_copy(
        update={"teacher_model_name": teacher, "correction": CorrectionConfig(steps=0)}
    )


def body_of(student: Product) -> Body | None:
    """What of the teacher the student of a product is made of; None where it was named, not cut."""
    from ..student.body import Body
    from ..training.distiller import VOCABULARY_FILE

    layers, vocabulary = student.facts["body"].get("layers"), student.path / MODEL / VOCABULARY_FILE
    if layers is None:
        return None
    known: dict[str, Any] = read_json(vocabulary) if vocabulary.is_file() else {}
    return Body(layers, known.get("teacher_tokens"))


def scored(config: RunConfig, work: Work, student: LoadedModel, name: str) -> dict[str, Any]:
    """The student's scores on the test split; its answers are kept in the product."""
    title = f"score {name}"
    test = test_samples(work.products["data"])
    found = work.checkpoints.remember(title, lambda: score_torch(config, student, test, title))
    write_answers(work.folder, found["answers"])
    scores: dict[str, Any] = found["scores"]
    return scores
