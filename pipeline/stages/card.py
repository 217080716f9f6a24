"""Stage ``card``: the bundle with its scores, its model card and a plot, put where users look for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from attar.runtime.bundle import Bundle

from ..config import RunConfig
from ..report import PLOT, Report, kinds_plot, model_card
from ..report.verdict import baseline_warning
from .export import BUNDLE
from .store import Product, Stage, Work

__all__ = ["report_of", "stage"]


def stage(config: RunConfig, run: Path) -> Stage:
    """The stage for a config and its run's folder."""
    needs = ("teacher", "student", "export", *(("baseline",) if config.measurement.baseline else ()), "measurement")
    return Stage("card", __name__, {}, partial(_work, config, run), needs=needs)


def report_of(config: RunConfig, run: Path, products: Mapping[str, Product]) -> Report:
    """What the stages found out, as a report that has no times of this call yet."""
    teacher, student, measurement = (products[name].facts for name in ("teacher", "student", "measurement"))
    costs, baseline = measurement["costs"], _baseline(products)
    warning = baseline_warning(baseline, config.distillation.correction.steps) if baseline else None
    fine_tuned = products["baseline"].facts["scores"] if baseline else {}
    return Report(
        run=run,
        bundle=run / BUNDLE,
        seconds={},
        cached=[],
        scores=teacher["scores"] | student["scores"] | fine_tuned | measurement["scores"],
        costs=costs["variants"],
        ratios={
            "parameters": student["parameters"] / teacher["parameters"],
            **{name: found["ratio"] for name, found in costs["ratios"].items()},
        },
        verdict=measurement["verdict"],
        rounding=measurement["rounding"],
        baseline=baseline,
        tokens=measurement["tokens"],
        warnings=[warning] if warning else [],
        intervals={name: (found["low"], found["high"]) for name, found in costs["ratios"].items()},
    )


def _baseline(products: Mapping[str, Product]) -> dict[str, Any]:
    """The verdicts on the baseline, with its budget and the times of both; empty where there is none."""
    if "baseline" not in products:
        return {}
    return {
        **products["measurement"].facts["baseline"],
        **{name: products["baseline"].facts[name] for name in ("steps", "learning_rate")},
        "seconds": {name: products[name].seconds for name in ("student", "baseline")},
    }


def _work(config: RunConfig, run: Path, work: Work) -> dict[str, Any]:
    from ..export.writing import publish

    report = report_of(config, run, work.products)
    exported = Bundle.open(work.products["export"].path / BUNDLE)
    manifest = replace(exported.manifest, lineage=exported.manifest.lineage | {"config": _recipe(config)})
    card, plot = model_card(manifest, report), kinds_plot(report)
    publish(replace(exported, manifest=manifest), run / BUNDLE, scores=report.scores, card=card, figures={PLOT: plot})
    (work.folder / "card.md").write_text(card, encoding="utf-8")
    return {}


def _recipe(config: RunConfig) -> dict[str, Any]:
    """The config without where things lie on this machine, which is nobody's business who gets the bundle."""
    places: dict[str, Any] = {
        "data": {"tables": {"__all__": {"path", "database", "schema_file"}}},
        "distillation": {"output", "signal_folder"},
    }
    return config.model_dump(mode="json", exclude=places)
