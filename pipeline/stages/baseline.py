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
    return Stage("baseline", __name__, inputs_of(config), partial(_work, config), needs=("data", "teacher", "student"))


def _work(config: RunConfig, work: Work) -> dict[str, Any]:
    from ..teacher import save_model
    from ..training.baseline import baseline_schedule, train_baseline

    settings = taught_by_product(config, work)
    samples, body = training_samples(work.products["data"]), body_of(work.products["student"])
    baseline = train_baseline(settings, samples, work.checkpoints, body)
    save_model(baseline, work.folder / MODEL)
    scores = scored(config, work, baseline, "baseline")
    steps = baseline_schedule(settings).steps
    return {"scores": {"baseline": scores}, "parameters": baseline.parameters, "steps": steps}
