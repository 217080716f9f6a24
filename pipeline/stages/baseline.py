"""Stage ``baseline``: a student of the same body and budget by plain fine-tuning, and its answers.

Left out where ``measurement.baseline`` is false. How a student is distilled changes nothing here, so trying out other
losses costs no new baseline. Does not know what it is compared with.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from ..config import RunConfig
from .data import training_samples
from .store import Stage, Work
from .students import LOSS_SETTINGS, inputs_of, scored, taught_by_product
from .teacher import MODEL

__all__ = ["stage"]

_NO_INFLUENCE = LOSS_SETTINGS | {"alignment_learning_rate", "signals", "signal_kind", "signal_tokens"}


def stage(config: RunConfig) -> Stage:
    """The stage for a config."""
    inputs = inputs_of(config, without=_NO_INFLUENCE)
    return Stage("baseline", __name__, inputs, partial(_work, config), needs=("data", "teacher"))


def _work(config: RunConfig, work: Work) -> dict[str, Any]:
    from ..teacher import save_model
    from ..training.baseline import baseline_schedule, train_baseline

    settings = taught_by_product(config, work)
    baseline = train_baseline(settings, training_samples(work.products["data"]), work.checkpoints)
    save_model(baseline, work.folder / MODEL)
    scores = scored(config, work, baseline, "baseline")
    steps = baseline_schedule(settings).steps
    return {"scores": {"baseline": scores}, "parameters": baseline.parameters, "steps": steps}
