"""Stage ``baseline``: a student of the same body and budget by plain fine-tuning, and its answers.

Left out where ``measurement.baseline`` is false. Of the student it takes which layers and tokens it kept, as those of a
deep cut are chosen while it is made. Does not know what it is compared with.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from ..config import RunConfig
from .data import training_samples
from .store import Stage, Work
from .students import body_of, inputs_of, scored, taught_by_product
from .teacher import MODEL

__all__ = ["stage"]


def stage(config: RunConfig) -> Stage:
    """The stage for a config."""
    inputs = inputs_of(config) | {"learning_rate": config.measurement.baseline_learning_rate}
    return Stage("baseline", __name__, inputs, partial(_work, config), needs=("data", "teacher", "student"))


def _work(config: RunConfig, work: Work) -> dict[str, Any]:
    from ..teacher import save_model
    from ..training.baseline import baseline_schedule, train_baseline

    rate = config.measurement.baseline_learning_rate
    settings = taught_by_product(config, work).model_copy(update={"learning_rate": rate})
    samples, body = training_samples(work.products["data"]), body_of(work.products["student"])
    baseline = train_baseline(settings, samples, work.checkpoints, body)
    save_model(baseline, work.folder / MODEL)
    scores = scored(config, work, baseline, "baseline")
    budget = {"steps": baseline_schedule(settings).steps, "learning_rate": rate}
    return {"scores": {"baseline": scores}, "parameters": baseline.parameters, **budget}
