"""Stage ``baseline``: a student of the same body and budget by plain fine-tuning, and its answers.

Left out where ``measurement.baseline`` is false. How a student is distilled changes nothing here, so trying out other
losses costs no new baseline. Does not know what it is compared with.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from ..config import CorrectionConfig, RunConfig
from .data import test_samples, training_samples
from .scoring import score_torch, write_answers
from .store import Stage, Work
from .teacher import MODEL

__all__ = ["stage"]

_NO_INFLUENCE = frozenset(
    {
        "teacher_model_name",  # the teacher's key has it, and its correction
        "correction",
        "teacher_license",
        "temperature",
        "alpha",
        "loss",
        "loss_skew",
        "loss_beta",
        "loss_powers",
        "alignment",
        "alignment_learning_rate",
        "signals",
        "signal_kind",
        "signal_tokens",
        "signal_folder",
        "checkpoint_seconds",
        "output",
    }
)


def stage(config: RunConfig) -> Stage:
    """The stage for a config."""
    inputs = {
        "distillation": config.distillation.model_dump(mode="json", exclude=set(_NO_INFLUENCE)),
        "max_new_tokens": config.measurement.max_new_tokens,
    }
    return Stage("baseline", __name__, inputs, partial(_work, config), needs=("data", "teacher"))


def _work(config: RunConfig, work: Work) -> dict[str, Any]:
    from ..teacher import save_model
    from ..training.baseline import baseline_schedule, train_baseline

    data, teacher = work.products["data"], work.products["teacher"]
    corrected = {"teacher_model_name": str(teacher.path / MODEL), "correction": CorrectionConfig(steps=0)}
    settings = config.distillation.model_copy(update=corrected)
    baseline = train_baseline(settings, training_samples(data), work.checkpoints)
    save_model(baseline, work.folder / MODEL)
    title = "score baseline"
    found = work.checkpoints.remember(title, lambda: score_torch(config, baseline, test_samples(data), title))
    write_answers(work.folder, found["answers"])
    steps = baseline_schedule(settings).steps
    return {"scores": {"baseline": found["scores"]}, "parameters": baseline.parameters, "steps": steps}
