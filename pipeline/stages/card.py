"""Stage ``card``: the bundle with its scores and model card, put where users look for it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from attar.runtime.bundle import Bundle

from ..report import Report, model_card
from .export import BUNDLE
from .store import Stage, Work

__all__ = ["report_of", "stage"]


def stage(run: Path) -> Stage:
    """The stage for a run's folder."""
    needs = ("teacher", "student", "export", "measurement")
    return Stage("card", __name__, {}, partial(_work, run), needs=needs)


def report_of(run: Path, facts: dict[str, dict[str, Any]]) -> Report:
    """What the stages found out, as a report that has no times yet."""
    teacher, student, measurement = (facts[name] for name in ("teacher", "student", "measurement"))
    costs = measurement["costs"]
    return Report(
        run=run,
        bundle=run / BUNDLE,
        seconds={},
        cached=[],
        scores=teacher["scores"] | student["scores"] | measurement["scores"],
        costs=costs["variants"],
        ratios={
            "parameters": student["parameters"] / teacher["parameters"],
            **{name: found["ratio"] for name, found in costs["ratios"].items()},
        },
        verdict=measurement["verdict"],
        intervals={name: (found["low"], found["high"]) for name, found in costs["ratios"].items()},
    )


def _work(run: Path, work: Work) -> dict[str, Any]:
    from ..export.writing import publish

    report = report_of(run, {name: product.facts for name, product in work.products.items()})
    bundle = Bundle.open(work.products["export"].path / BUNDLE)
    card = model_card(bundle.manifest, report)
    publish(bundle, run / BUNDLE, scores=report.scores, card=card)
    (work.folder / "card.md").write_text(card, encoding="utf-8")
    return {}
