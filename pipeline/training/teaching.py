"""Lessons: one teacher teaches one student, first layer by layer where the student is cut from it, then end to end.

Layers are fitted by least squares, then aligned by steps of their own, as far as the config wants either.

Where a cut goes in steps, the student of each lesson is the teacher of the next. Does not know how the first teacher
came about, or which samples there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ..checkpoints import Checkpoints
from ..config import DistillationConfig
from ..data.samples import Sample
from ..losses import DistillationLoss
from ..student import layers_of, teacher_tokens
from ..student.body import Body, cut_student
from ..student.cuts import layers_on_the_way, planned_cuts
from ..teacher import LoadedModel, weights_sha256
from ..teacher.signals import Signals, chosen_signals
from .batches import Packed
from .compiled import compiled_layers, pays
from .distillation import Pair, align, distill
from .fitting import fit
from .held_out import answer_watch
from .loop import Schedule
from .rehearsal import Rehearsal

__all__ = ["Lesson", "lessons", "order_seeds", "paired", "teach"]


@dataclass(frozen=True)
class Lesson:
    """What is taught, and how long.

    Attributes:
        teacher: The teacher, or a student before, as assistant teacher.
        student: The student, changed in place.
        layers: For each of a cut student's layers, that teacher's layer it was; empty for a named student.
        origins: The same in numbers of the first teacher's layers.
        alignment_steps: Steps in which each layer learns alone.
        steps: Steps of the distillation.
        number: Which lesson it is, from 0; each goes through the samples in an order of its own.
        suffix: What is added to the titles of its trainings; no two lessons have the same.
    """

    teacher: LoadedModel
    student: LoadedModel
    layers: Sequence[int]
    origins: Sequence[int]
    alignment_steps: int
    steps: int
    number: int = 0
    suffix: str = ""


def lessons(
    config: DistillationConfig,
    teacher: LoadedModel,
    student: LoadedModel,
    body: Body | None,
    rank: Callable[[LoadedModel, int], Sequence[int]] | None = None,
) -> Iterator[Lesson]:
    """Who learns from whom, the student itself last; one on the way is cut when it is its turn.

    Args:
        config: What is asked for.
        teacher: The first teacher.
        student: The student, as it was cut from that or loaded; cut anew where others stand on the way.
        body: What of that teacher the student is made of; None where it was loaded.
        rank: Tells the layers of an assistant teacher, the most important first, for a cut to so many: a trained
            student's are not those of its teacher (benchmarks/LOG.md). None where layers are chosen otherwise.

    Raises:
        UsageError: ``distillation.cuts`` do not lead from the teacher down to the student.
    """
    if body is None:
        yield Lesson(teacher, student, (), (), 0, config.steps)
        return
    total = len(layers_of(teacher.model)[1])
    cuts = planned_cuts(config, total, len(body.layers))
    way = layers_on_the_way(total, body.layers, [cut.layers for cut in cuts[:-1]])
    above: Sequence[int] = range(total)
    for number, cut in enumerate(cuts):
        if rank and body.ranking:
            places = sorted((rank(teacher, cut.layers) if number else body.ranking)[: cut.layers])
        else:
            places = [above.index(layer) for layer in way[number]]
        if len(cuts) > 1:
            student = cut_student(teacher, Body(places, body.tokens if number == 0 else None))
        above = [above[place] for place in places]
        suffix = "" if number == len(cuts) - 1 else f" to {cut.layers} layers"
        yield Lesson(teacher, student, places, above, cut.alignment_steps, cut.steps, number, suffix)
        student.model.requires_grad_(False)
        teacher = student


def order_seeds(config: DistillationConfig, number: int) -> tuple[int, int]:
    """Of a lesson's batches, in its alignment and in its distillation."""
    return config.seed + 2 * number, config.seed + 2 * number + 1


def teach(
    lesson: Lesson,
    config: DistillationConfig,
    loss: DistillationLoss,
    sequences: Sequence[Packed],
    watched: Sequence[Sample],
    *,
    precision: str,
    checkpoints: Checkpoints | None = None,
    rehearsal: Rehearsal | None = None,
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
        rehearsal: What is rehearsed beside the samples, of a pair whose layers correspond.

    Raises:
        CheckFailed: The loss stopped being a number.
        Refused: A checkpoint is of another teacher or student.
        UsageError: Cached signals are asked for where they are not enough.
        SignalError: Those that are kept are damaged, or of something else.
    """
    models = (lesson.teacher.model, lesson.student.model)
    pair = paired(lesson.teacher, lesson.student, lesson.layers, is_cut=config.student_model_name is None)
    if checkpoints:
        checkpoints = checkpoints.of(**dict(zip(("teacher", "student"), map(weights_sha256, models), strict=True)))
    aligning, distilling = order_seeds(config, lesson.number)
    if config.fitting_tokens and lesson.layers:
        fit(
            pair,
            sequences,
            config.fitting_tokens,
            batch_tokens=config.batch_tokens,
            precision=precision,
            seed=aligning,
            title=f"fit layers{lesson.suffix}",
            checkpoints=checkpoints,
        )
    tokens = (lesson.alignment_steps + lesson.steps) * config.batch_tokens
    with compiled_layers(*models, when=pays(config.compiled, tokens, lesson.teacher.parameters)):
        signals = _signals(lesson, pair, config, loss, sequences, precision, checkpoints)
        if lesson.alignment_steps:
            align(
                pair,
                sequences,
                Schedule(lesson.alignment_steps, config.alignment_learning_rate, config.warmup),
                batch_tokens=config.batch_tokens,
                precision=precision,
                seed=aligning,
                title=f"align layers{lesson.suffix}",
                checkpoints=checkpoints,
                rehearsal=rehearsal,
            )
        distill(
            pair,
            loss,
            sequences,
            Schedule(lesson.steps, config.learning_rate, config.warmup),
            alignment=config.alignment,
            batch_tokens=config.batch_tokens,
            precision=precision,
            seed=distilling,
            title=f"distill{lesson.suffix}",
            checkpoints=checkpoints,
            signals=signals,
            watch=answer_watch(lesson.student, watched, config.evaluate_every, precision),
            rehearsal=rehearsal,
        )
    lesson.student.model.eval()


def paired(teacher: LoadedModel, student: LoadedModel, layers: Sequence[int], *, is_cut: bool) -> Pair:
    """Two loaded models as a pair, whose tokens are known to each other; arguments as for :meth:`Pair.of`.

    Raises:
        TokenizerMismatch: They read text differently.
    """
    return Pair.of(
        teacher.model,
        student.model,
        student.tokenizer.vocabulary_size,
        is_cut=is_cut,
        layers=layers,
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
        seed=order_seeds(config, lesson.number)[1],
        folder=checkpoints.folder / f"signals{lesson.suffix}".replace(" ", "-") if checkpoints else None,
    )
