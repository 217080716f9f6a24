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
    from ..measurement import Variant, measure_costs

    data, teacher, export = (work.products[name] for name in ("data", "teacher", "export"))
    test = test_samples(data)
    bundle = Bundle.open(export.path / BUNDLE)
    settings = config.measurement
    answers, prompt = bundle_answers(bundle, test, max_new_tokens=settings.max_new_tokens, threads=settings.threads)
    costs = measure_costs(
        {"bundle": Variant("bundle", bundle.path), "teacher": Variant("torch", teacher.path / MODEL)},
        prompt,
        tokens=settings.decode_tokens,
        threads=settings.threads,
        rounds=settings.repetitions,
        pairs=settings.pairs,
    )
    return {
        "scores": {"quantized": score(answers, [sample.answer for sample in test]).to_dict()},
        "costs": costs.to_dict(),
        "prompt_tokens": len(prompt),
    }
