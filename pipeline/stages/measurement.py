"""Stage ``measurement``: what the student is worth beside its teacher and its baseline, and what the bundle costs.

The bundle's answers are judged against the corrected teacher's, for that is what is shipped, and against the torch
student's, for what rounding cost; the torch student's against the baseline's, which has no bundle. Does not know
training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from attar.runtime.bundle import Bundle

from ..config import RunConfig
from ..data import Sample
from .data import test_samples
from .export import BUNDLE
from .scoring import read_answers, write_answers
from .store import Product, Stage, Work
from .teacher import MODEL

if TYPE_CHECKING:
    from ..teacher import LoadedModel

__all__ = ["stage"]


def stage(config: RunConfig) -> Stage:
    """The stage for a config."""
    inputs = {
        "measurement": config.measurement.model_dump(mode="json"),
        "precision": config.distillation.precision,
    }
    needs = ("data", "teacher", "student", "export", *(("baseline",) if config.measurement.baseline else ()))
    return Stage("measurement", __name__, inputs, partial(_work, config), needs=needs)


def _work(config: RunConfig, work: Work) -> dict[str, Any]:
    from ..evaluation import score
    from ..evaluation.bundles import bundle_answers
    from ..measurement import Variant, measure_costs

    products, settings = work.products, config.measurement
    teacher = products["teacher"]
    test = test_samples(products["data"])
    bundle = Bundle.open(products["export"].path / BUNDLE)
    answers, prompt = bundle_answers(bundle, test, max_new_tokens=settings.max_new_tokens, threads=settings.threads)
    write_answers(work.folder, {sample.id: answer for sample, answer in zip(test, answers, strict=True)})
    tokens = _tokens(config, products, test)
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
        "verdict": _verdict({"quantized": answers, "corrected_teacher": read_answers(teacher.path, test)}, test),
        "rounding": _verdict({"quantized": answers, "student": read_answers(products["student"].path, test)}, test),
        "baseline": _against_baseline(products, test),
        "tokens": tokens,
        "costs": costs.to_dict(),
        "prompt_tokens": len(prompt),
    }


def _against_baseline(products: Mapping[str, Product], test: Sequence[Sample]) -> dict[str, Any]:
    """The student against the baseline, and the corrected teacher against it; empty where there is none."""
    if "baseline" not in products:
        return {}
    answers = {name: read_answers(products[name].path, test) for name in ("student", "teacher", "baseline")}
    return {
        "verdict": _verdict({"student": answers["student"], "baseline": answers["baseline"]}, test),
        "teacher": _verdict({"corrected_teacher": answers["teacher"], "baseline": answers["baseline"]}, test),
    }


def _verdict(answers: Mapping[str, Sequence[str]], test: Sequence[Sample]) -> dict[str, Any]:
    """The first of two models against the second, by name, and both's summaries by the facts in them."""
    from ..evaluation import SUMMARY_KINDS, exact_match, judge, score_facts

    ours, theirs = (
        [exact_match(answer, sample.answer) for answer, sample in zip(each, test, strict=True)]
        for each in answers.values()
    )
    found = judge(ours, theirs, [sample.kind for sample in test]).to_dict()
    for kind in sorted(SUMMARY_KINDS & found["kinds"].keys()):
        places = [place for place, sample in enumerate(test) if sample.kind == kind]
        expected = [test[place].answer for place in places]
        found["kinds"][kind]["facts"] = {
            name: score_facts([each[place] for place in places], expected).to_dict() for name, each in answers.items()
        }
    return found


def _tokens(config: RunConfig, products: Mapping[str, Product], test: Sequence[Sample]) -> dict[str, Any]:
    """Loss, calibration and nearness to the teacher, of the torch models, by name."""
    from ..evaluation import score_tokens
    from ..training.precision import chosen_precision

    students = {name: _loaded(products[name]) for name in ("student", "baseline") if name in products}
    precision = chosen_precision(config.distillation.precision)
    of_teacher, found = score_tokens(_loaded(products["teacher"]), students, test, precision=precision)
    return {name: each.to_dict() for name, each in {"corrected_teacher": of_teacher, **found}.items()}


def _loaded(product: Product) -> LoadedModel:
    from ..teacher import load_model

    loaded = load_model(str(product.path / MODEL))
    loaded.model.eval()
    return loaded
