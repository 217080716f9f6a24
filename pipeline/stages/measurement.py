"""Stage ``measurement``: the bundle's answers scored and judged beside the teacher's, and its cost.

Does not know training.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from attar.runtime.bundle import Bundle

from ..config import RunConfig
from ..data import Sample
from .data import test_samples
from .export import BUNDLE
from .scoring import read_answers, write_answers
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
    write_answers(work.folder, {sample.id: answer for sample, answer in zip(test, answers, strict=True)})
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
        "verdict": _verdict(answers, read_answers(teacher.path, test), test),
        "costs": costs.to_dict(),
        "prompt_tokens": len(prompt),
    }


def _verdict(ours: Sequence[str], theirs: Sequence[str], test: Sequence[Sample]) -> dict[str, Any]:
    """The student in its bundle against the corrected teacher, and both's summaries by the facts in them."""
    from ..evaluation import SUMMARY_KINDS, exact_match, judge, score_facts

    right = [
        [exact_match(answer, sample.answer) for answer, sample in zip(a, test, strict=True)] for a in (ours, theirs)
    ]
    found = judge(right[0], right[1], [sample.kind for sample in test]).to_dict()
    for kind in sorted(SUMMARY_KINDS & found["kinds"].keys()):
        places = [place for place, sample in enumerate(test) if sample.kind == kind]
        expected = [test[place].answer for place in places]
        found["kinds"][kind]["facts"] = {
            name: score_facts([answers[place] for place in places], expected).to_dict()
            for name, answers in (("quantized", ours), ("corrected_teacher", theirs))
        }
    return found
