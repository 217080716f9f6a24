"""One run: data, teacher, student, finish, export, baseline, measurement, card; each from the products before it.

Hands on a report, ``runs/NAME/bundle`` and ``runs/NAME/run.json``. Does not know how any stage does its work.
"""

from __future__ import annotations

import platform
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from attar.runtime.bundle import MANIFEST_FILE
from attar.runtime.files import locked, sweep, write_json

from .config import RunConfig
from .report import Report
from .stages import Stages, baseline, card, data, export, finish, measurement, student, teacher
from .stages.export import BUNDLE
from .versions import installed_versions, this_machine

__all__ = ["run", "stages_of"]

_MANIFEST = "run.json"
_FORMAT = 1


def stages_of(config: RunConfig, runs: Path = Path("runs")) -> Stages:
    """The stages of a run in order, with their keys; nothing is made yet."""
    folder = runs / config.name
    return Stages(
        folder / "stages",
        [
            data.stage(config),
            teacher.stage(config),
            student.stage(config),
            *([finish.stage(config)] if config.finish.steps else []),
            export.stage(config),
            *([baseline.stage(config)] if config.measurement.baseline else []),
            measurement.stage(config),
            card.stage(config, folder),
        ],
        checkpoint_seconds=config.distillation.checkpoint_seconds,
    )


def run(config: RunConfig, runs: Path = Path("runs")) -> Report:
    """Do what is not done yet, in order; an interrupted run goes on from its last checkpoint.

    Args:
        config: The run.
        runs: Folder of all runs.

    Raises:
        Refused: Another process works on this run.
        AttarError: A stage can't do its work; what earlier stages made is kept.
    """
    started = time.monotonic()
    folder = runs / config.name
    with locked(folder):
        stages = stages_of(config, runs)
        sweep(folder)
        stages.sweep()
        if not (folder / BUNDLE / MANIFEST_FILE).is_file():
            stages.forget("card")
        for name in stages.names:
            stages.make(name)
        data.write_card(config, stages.products["data"])
        total = time.monotonic() - started
        report = _timed(card.report_of(config, folder, stages.products), stages, total)
        if len(report.cached) < len(stages.names):
            write_json(folder / _MANIFEST, _manifest(config, stages, report))
    return report


def _timed(report: Report, stages: Stages, total: float) -> Report:
    products = stages.products
    seconds = {"total": round(total, 3)} | {name: product.seconds for name, product in products.items()}
    cached = [name for name, product in products.items() if product.cached]
    memory = {name: product.peak_memory for name, product in products.items()}
    return replace(report, seconds=seconds, cached=cached, peak_memory=memory)


def _manifest(config: RunConfig, stages: Stages, report: Report) -> dict[str, Any]:
    """What would have to be the same for the same hashes to come out, and the hashes."""
    return {
        "format": _FORMAT,
        "ended": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "config": config.model_dump(mode="json"),
        "sources": stages.products["data"].facts["sources"],
        "seeds": {"data.salt": config.data.salt, "distillation.seed": config.distillation.seed},
        "versions": {"python": platform.python_version(), **installed_versions()},
        "machine": this_machine(),
        "stages": {
            name: {
                "key": product.key,
                "seconds": product.seconds,
                "peak_memory": product.peak_memory,
                "cached": product.cached,
                "files": product.files,
            }
            for name, product in stages.products.items()
        },
        "scores": report.scores,
        "ratios": report.ratios,
        "verdict": report.verdict,
        "rounding": report.rounding,
        "baseline": report.baseline,
        "tokens": report.tokens,
        "warnings": report.warnings,
    }
