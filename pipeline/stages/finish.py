"""Stage ``finish``: a student in, the same out that lost little of itself to the rounding of its export.

Left out where ``finish.steps`` is 0. Does not know graphs, or how the student was trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ..config import DistillationConfig, RunConfig
from ..data.render import render
from .data import training_samples
from .store import Stage, Work
from .students import body_of
from .teacher import MODEL

if TYPE_CHECKING:
    from ..teacher import LoadedModel
    from ..training.batches import Packed
    from ..training.distillation import Pair
    from ..training.rehearsal import Rehearsal

__all__ = ["shipped", "sources", "stage"]

_SETTINGS = frozenset(
    {
        "temperature",
        "loss",
        "loss_skew",
        "loss_beta",
        "loss_powers",
        "student_model_name",
        "warmup",
        "batch_tokens",
        "questions_per_sequence",
        "precision",
        "compiled",
        "held_out",
        "seed",
    }
)


def shipped(config: RunConfig) -> str:
    """The stage whose student is exported."""
    return sources(config)[-1]


def sources(config: RunConfig) -> tuple[str, ...]:
    """The stages that hold the student, as it was trained and as it is exported."""
    return ("student", "finish") if config.finish.steps else ("student",)


def stage(config: RunConfig) -> Stage:
    """The stage for a config."""
    inputs = {
        "distillation": config.distillation.model_dump(mode="json", include=set(_SETTINGS)),
        "finish": config.finish.model_dump(mode="json"),
        "form": config.export.quantize,
    }
    asked = ("teacher",) if config.finish.teacher == "teacher" or config.finish.rehearsal else ()
    return Stage("finish", __name__, inputs, partial(_work, config), needs=("data", "student", *asked))


def _work(config: RunConfig, work: Work) -> dict[str, Any]:
    import torch

    from ..teacher import load_model, save_model, weights_sha256
    from ..training.batches import pack_all
    from ..training.compiled import pays
    from ..training.distiller import ModelDistiller
    from ..training.held_out import set_aside
    from ..training.loop import Schedule
    from ..training.rounding_aware import finish

    settings, steps = config.finish.applied_to(config.distillation), config.finish.steps
    distiller = ModelDistiller(settings)
    student = load_model(str(work.products["student"].path / MODEL))
    trained, _ = set_aside(training_samples(work.products["data"]), settings.held_out, settings.seed)
    rendered = render(trained, student.tokenizer, most=student.most_tokens)
    sequences = pack_all(rendered, settings.questions_per_sequence)
    pair = _pair(config, work, student)
    rehearsal = _rehearsal(settings, work, student, sequences, pair)
    torch.manual_seed(settings.seed)
    losses = finish(
        pair,
        distiller.loss,
        sequences,
        Schedule(steps, config.finish.learning_rate, settings.warmup),
        form=config.export.quantize,
        alignment=settings.alignment,
        batch_tokens=settings.batch_tokens,
        precision=distiller.precision,
        compiled=pays(settings.compiled, steps * settings.batch_tokens, student.parameters),
        seed=settings.seed + 2,
        checkpoints=work.checkpoints.of(student=weights_sha256(pair.student), teacher=weights_sha256(pair.teacher)),
        rehearsal=rehearsal,
    )
    save_model(student, work.folder / MODEL)
    return {"form": config.export.quantize, "steps": steps, "first_loss": losses[0], "last_loss": losses[-1]}


def _rehearsal(
    settings: DistillationConfig, work: Work, student: LoadedModel, sequences: Sequence[Packed], pair: Pair
) -> Rehearsal | None:
    """What the student rehearses: requests of the corrected teacher, whoever teaches."""
    from ..training.precision import chosen_precision
    from ..training.rehearsal import chosen_rehearsal

    if not settings.rehearsal:
        return None
    return chosen_rehearsal(
        settings,
        _teacher(work),
        student,
        sequences,
        held_to=pair.teacher,
        precision=chosen_precision(settings.precision),
        checkpoints=work.checkpoints,
    )


def _pair(config: RunConfig, work: Work, student: LoadedModel) -> Pair:
    """The student and who teaches it: itself as it is, or the corrected teacher."""
    from ..training.rounding_aware import as_it_was
    from ..training.teaching import paired

    is_cut = config.distillation.student_model_name is None
    if config.finish.teacher == "student":
        return as_it_was(student.model, student.tokenizer.vocabulary_size, is_cut=is_cut)
    body = body_of(work.products["student"])
    return paired(_teacher(work), student, body.layers if body else (), is_cut=is_cut)


def _teacher(work: Work) -> LoadedModel:
    """The corrected teacher, to be asked and not trained."""
    from ..teacher import load_model

    teacher = load_model(str(work.products["teacher"].path / MODEL))
    teacher.model.requires_grad_(False).eval()
    return teacher
