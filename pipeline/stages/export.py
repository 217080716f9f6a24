"""Stage ``export``: a student in, a bundle out that has not been measured yet. Does not know training."""

from __future__ import annotations

import shutil
from functools import partial
from typing import Any

from ..config import RunConfig
from ..data.render import prompt_ids
from ..versions import installed_versions
from .data import RECORDS, test_samples
from .store import Stage, Work
from .teacher import MODEL

__all__ = ["BUNDLE", "stage"]

BUNDLE = "bundle"
_PARITY_PROMPTS = 16


def stage(config: RunConfig) -> Stage:
    """The stage for a config."""
    inputs = {"export": config.export.model_dump(mode="json"), "licenses": _licenses(config)}
    return Stage("export", __name__, inputs, partial(_work, config), needs=("data", "teacher", "student"))


def _licenses(config: RunConfig) -> dict[str, Any]:
    return {
        "teacher": config.distillation.teacher_license,
        "data": {table.name: table.license for table in config.data.tables},
    }


def _work(config: RunConfig, work: Work) -> dict[str, Any]:
    from attar.runtime.text import ChatTokenizer

    from ..export import export_model
    from ..export.writing import Provenance

    data, teacher, student = (work.products[name] for name in ("data", "teacher", "student"))
    tokenizer = ChatTokenizer.load(student.path / MODEL)
    prompts = [prompt_ids(sample, tokenizer) for sample in test_samples(data)[:_PARITY_PROMPTS]]
    lineage = {
        "teacher": config.distillation.teacher_model_name,
        "teacher_parameters": teacher.facts["parameters"],
        "sources": data.facts["sources"],
        "samples": data.facts["samples"],
        "modes": data.facts["modes"],
        "stages": {name: product.key for name, product in work.products.items()},
        "versions": installed_versions(),
    }
    bundle = export_model(
        student.path / MODEL,
        work.folder / BUNDLE,
        config.export,
        prompts=prompts,
        provenance=Provenance(lineage, _licenses(config)),
        add_records=partial(shutil.copyfile, data.path / RECORDS) if data.facts["records"] else None,
    )
    return {"size": bundle.size, "parity": bundle.manifest.parity}
