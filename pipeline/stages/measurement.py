"""Stage ``measurement``: the bundle's answers scored, and its cost beside the teacher's. Does not know training."""

from __future__ import annotations

from functools import partial
from typing import Any

from attar.runtime.bundle import Bundle

from ..config import RunConfig
from .data import test_samples
from .export import BUNDLE
from .store import Stage, Work
from .teacher import MODEL

__all__ = ["stage"]


def stage(config: RunConfig) -> Stage:
    """The stage for a config."""
    inputs = {"measurement": config.measurement.model_dump(mode="json")}
    return Stage("measurement", __name__, inputs, partial(_work, config), needs=("data", "teacher", "export"))


def _work(config: RunConfig, work: Work) -> dict[str, Any]:
    from ..evaluation import score
    from ..evaluation.bundles import bundle_answers
    from ..measurement.processes import Variant, measure_costs

    data, teacher, export = (work.products[name] for name in ("data", "teacher", "export"))
    test = test_samples(data)
    bundle = Bundle.open(export.path / BUNDLE)
    settings = config.measurement
    answers, prompt = bundle_answers(bundle, test, max_new_tokens=settings.max_new_tokens, threads=settings.threads)
    costs = measure_costs(
        {"teacher": Variant("torch", teacher.path / MODEL), "bundle": Variant("bundle", bundle.path)},
        prompt,
        tokens=settings.decode_tokens,
        threads=settings.threads,
        repetitions=settings.repetitions,
    )
    return {
        "scores": {"quantized": score(answers, [sample.answer for sample in test]).to_dict()},
        "costs": {name: cost.to_dict() for name, cost in costs.items()},
        "prompt_tokens": len(prompt),
        "teacher_bytes": 4 * teacher.facts["parameters"],
        "bundle_bytes": bundle.size,
    }
