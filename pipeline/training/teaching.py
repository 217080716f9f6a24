"""A lesson: one teacher teaches one student, first layer by layer where the student is cut from it, then end to end.

Does not know how lessons follow from one another, or how the student came about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..checkpoints import Checkpoints
from ..config import DistillationConfig
from ..data.samples import Sample
from ..losses import DistillationLoss
from ..student import teacher_tokens
from ..teacher import LoadedModel, weights_sha256
from ..teacher.signals import Signals, chosen_signals
from .batches import Packed
from .compiled import compiled_layers, pays
from .distillation import Pair, align, distill
from .held_out import exact_match_of
from .loop import Schedule, Watch

__all__ = ["Lesson", "teach"]


@dataclass(frozen=True)
class Lesson:
    """What is taught, and how long.

    Attributes:
        teacher: The teacher, or a student before, as assistant teacher.
        student: The student, changed in place.
        layers: For each of a cut student's layers, that teacher's layer it was; empty for a named student.
        alignment_steps: Steps in which each layer learns alone.
        steps: Steps of the distillation.
        number: Which lesson it is, from 0; each goes through the samples in an order of its own.
        suffix: What is added to the titles of its trainings; no two lessons have the same.
    """

    teacher: LoadedModel
    student: LoadedModel
    layers: Sequence[int]
    alignment_steps: int
    steps: int
    number: int = 0
    suffix: str = ""


def teach(
    lesson: Lesson,
    config: DistillationConfig,
    loss: DistillationLoss,
    sequences: Sequence[Packed],
    watched: Sequence[Sample],
    *,
    precision: str,
    checkpoints: Checkpoints | None = None,
) -> None:
    """Train the student; it ends with the weights that answer the watched samples best.

    Args:
        lesson: Who learns from whom.
        config: How.
        loss: See :func:`~attar.pipeline.training.distillation.distill`.
        sequences: What to train on, in the student's tokens.
        watched: What to choose the weights by; empty keeps the last.
        precision: "float32" or "bfloat16".
        checkpoints: Where unfinished training is kept.

    Raises:
        CheckFailed: The loss stopped being a number.
        Refused: A checkpoint is of another teacher or student.
        UsageError: Cached signals are asked for where they are not enough.
        SignalError: Those that are kept are damaged, or of something else.
    """
    models = (lesson.teacher.model, lesson.student.model)
    pair = _pair(lesson, is_cut=config.student_model_name is None)
    origin = dict(zip(("teacher", "student"), map(weights_sha256, models), strict=True)) if checkpoints else {}
    seed = config.seed + 2 * lesson.number
    tokens = (lesson.alignment_steps + lesson.steps) * config.batch_tokens
    with compiled_layers(*models, when=pays(config.compiled, tokens)):
        signals = _signals(lesson, pair, config, loss, sequences, precision, checkpoints)
        if lesson.alignment_steps:
            align(
                pair,
                sequences,
                Schedule(lesson.alignment_steps, config.alignment_learning_rate, config.warmup),
                batch_tokens=config.batch_tokens,
                precision=precision,
                seed=seed,
                checkpoints=checkpoints,
                title=f"align layers{lesson.suffix}",
                origin=origin,
            )
        distill(
            pair,
            loss,
            sequences,
            Schedule(lesson.steps, config.learning_rate, config.warmup),
            alignment=config.alignment,
            batch_tokens=config.batch_tokens,
            precision=precision,
            seed=seed + 1,
            checkpoints=checkpoints,
            signals=signals,
            title=f"distill{lesson.suffix}",
            watch=_watch(lesson.student, watched, config.evaluate_every, precision),
            origin=origin,
        )
    lesson.student.model.eval()


def _pair(lesson: Lesson, *, is_cut: bool) -> Pair:
    teacher, student = lesson.teacher, lesson.student
    return Pair.of(
        teacher.model,
        student.model,
        student.tokenizer.vocabulary_size,
        is_cut=is_cut,
        layers=lesson.layers,
        tokens=teacher_tokens(teacher.tokenizer, student.tokenizer),
    )


def _signals(
    lesson: Lesson,
    pair: Pair,
    config: DistillationConfig,
    loss: DistillationLoss,
    sequences: Sequence[Packed],
    precision: str,
    checkpoints: Checkpoints | None,
) -> Signals:
    """For the lesson's own steps, and cached in a folder for each teacher."""
    folder = config.signal_folder
    if folder and lesson.number:
        folder = folder.with_name(f"{folder.name}-{lesson.number}")
    return chosen_signals(
        pair.online_signals(precision, with_states=config.alignment > 0),
        config.model_copy(update={"steps": lesson.steps, "signal_folder": folder}),
        loss,
        lesson.teacher.tokenizer,
        sequences,
        seed=config.seed + 2 * lesson.number + 1,
        folder=checkpoints.folder / f"signals{lesson.suffix}".replace(" ", "-") if checkpoints else None,
    )


def _watch(student: LoadedModel, watched: Sequence[Sample], every: int, precision: str) -> Watch | None:
    return Watch("exact match", every, exact_match_of(student, watched, precision)) if every and watched else None
