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
    theirs, ours = measurement["costs"]["teacher"], measurement["costs"]["bundle"]
    sizes = {name: float(measurement[f"{name}_bytes"]) for name in ("teacher", "bundle")}
    return Report(
        run=run,
        bundle=run / BUNDLE,
        seconds={},
        cached=[],
        scores=teacher["scores"] | student["scores"] | measurement["scores"],
        costs={name: {"size_bytes": sizes[name], **cost} for name, cost in measurement["costs"].items()},
        ratios={
            "parameters": student["parameters"] / teacher["parameters"],
            "size": sizes["teacher"] / sizes["bundle"],
            "decode": ours["decode_tokens_per_second"] / theirs["decode_tokens_per_second"],
            "first_token": theirs["first_token_seconds"] / ours["first_token_seconds"],
            "memory": theirs["peak_memory_bytes"] / ours["peak_memory_bytes"],
        },
    )


def _work(run: Path, work: Work) -> dict[str, Any]:
    from ..export.writing import publish

    report = report_of(run, {name: product.facts for name, product in work.products.items()})
    bundle = Bundle.open(work.products["export"].path / BUNDLE)
    card = model_card(bundle.manifest, report)
    publish(bundle, run / BUNDLE, scores=report.scores, card=card)
    (work.folder / "card.md").write_text(card, encoding="utf-8")
    return {}
