"""Stage ``export``: a student in, a bundle out that has not been measured yet. Does not know training."""

from __future__ import annotations

import shutil
from functools import partial
from typing import Any

from ..config import RunConfig
from ..data.render import prompt_ids, render
from ..versions import installed_versions
from .data import RECORDS, test_samples, training_samples
from .store import Stage, Work
from .teacher import MODEL

__all__ = ["BUNDLE", "stage"]

BUNDLE = "bundle"
_PARITY_PROMPTS = 16


def stage(config: RunConfig) -> Stage:
    """The stage for a config."""
    inputs = {
        "export": config.export.model_dump(mode="json"),
        "licenses": _licenses(config),
        "max_new_tokens": config.measurement.max_new_tokens,
    }
    return Stage("export", __name__, inputs, partial(_work, config), needs=("data", "teacher", "student"))


def _licenses(config: RunConfig) -> dict[str, Any]:
    return {
        "teacher": config.distillation.teacher_license,
        "data": {table.name: table.license for table in config.data.tables},
    }


def _work(config: RunConfig, work: Work) -> dict[str, Any]:
    from attar.runtime.text import ChatTokenizer

    from ..export import export_model
    from ..export.choosing import Trial
    from ..export.writing import Provenance

    data, teacher, student = (work.products[name] for name in ("data", "teacher", "student"))
    tokenizer = ChatTokenizer.load(student.path / MODEL)
    test, settings = test_samples(data), config.export
    prompts = [prompt_ids(sample, tokenizer) for sample in test[: max(_PARITY_PROMPTS, settings.scored_samples)]]
    expected = [sample.answer for sample in test[: settings.scored_samples]]
    trial = Trial(prompts[: len(expected)], expected, tokenizer.decode, config.measurement.max_new_tokens)
    training = training_samples(data)
    chosen = training[:: max(1, len(training) // max(1, settings.calibration_samples))][: settings.calibration_samples]
    texts = [[*sample.prompt, *sample.answer] for sample in render(chosen, tokenizer)]
    lineage = {
        "teacher": config.distillation.teacher_model_name,
        "teacher_parameters": teacher.facts["parameters"],
        "body": student.facts["body"],
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
        prompts=prompts[:_PARITY_PROMPTS],
        trial=trial,
        texts=texts,
        provenance=Provenance(lineage, _licenses(config)),
        add_records=partial(shutil.copyfile, data.path / RECORDS) if data.facts["records"] else None,
    )
    return {"size": bundle.size, "parity": bundle.manifest.parity, "choice": bundle.manifest.choice}
