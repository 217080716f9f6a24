"""Stage ``export``: a student in, a bundle out that has not been measured yet. Does not know training."""

from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ..config import RunConfig
from ..data import Sample
from ..data.render import prompt_ids, render
from ..versions import installed_versions
from .data import RECORDS, test_samples, training_samples
from .finish import shipped, sources
from .scoring import spread
from .store import Product, Stage, Work
from .teacher import MODEL

if TYPE_CHECKING:
    from attar.runtime.references import Exchange
    from attar.runtime.text import ChatTokenizer

    from ..export.answer_gate import Trial

__all__ = ["BUNDLE", "expected_answers", "stage"]

BUNDLE = "bundle"


def stage(config: RunConfig) -> Stage:
    """The stage for a config."""
    inputs = {
        "export": config.export.model_dump(mode="json"),
        "licenses": _licenses(config),
        "max_new_tokens": config.measurement.max_new_tokens,
    }
    return Stage("export", __name__, inputs, partial(_work, config), needs=("data", "teacher", *sources(config)))


def _licenses(config: RunConfig) -> dict[str, Any]:
    return {
        "teacher": config.distillation.teacher_license,
        "data": {table.name: table.license for table in config.data.tables},
    }


def _work(config: RunConfig, work: Work) -> dict[str, Any]:
    from attar.runtime.text import ChatTokenizer

    from ..export import export_model
    from ..export.exporting import CALIBRATED
    from ..export.writing import Provenance

    data, teacher, student = (work.products[name] for name in ("data", "teacher", "student"))
    model = work.products[shipped(config)].path / MODEL
    tokenizer = ChatTokenizer.load(model)
    test = test_samples(data)
    lineage = {
        "teacher": config.distillation.teacher_model_name,
        "teacher_parameters": teacher.facts["parameters"],
        "body": student.facts["body"],
        "finish": work.products["finish"].facts if "finish" in work.products else None,
        "sources": data.facts["sources"],
        "samples": data.facts["samples"],
        "modes": data.facts["modes"],
        "stages": {name: product.key for name, product in work.products.items()},
        "versions": installed_versions(),
    }
    bundle = export_model(
        model,
        work.folder / BUNDLE,
        config.export,
        expected=expected_answers(config, (test, training_samples(data)), tokenizer),
        trial=_trial(config, test, tokenizer) if config.export.quantize == "auto" else None,
        texts=_texts(config, data, tokenizer) if config.export.quantize in CALIBRATED else (),
        provenance=Provenance(lineage, _licenses(config)),
        add_records=partial(shutil.copyfile, data.path / RECORDS) if data.facts["records"] else None,
    )
    return {"size": bundle.size, "parity": bundle.manifest.parity, "choice": bundle.manifest.choice}


def expected_answers(config: RunConfig, splits: Sequence[Sequence[Sample]], tokenizer: ChatTokenizer) -> list[Exchange]:
    """Samples until they have as many tokens of answers as parity wants, from the first split as long as it lasts.

    They are drawn with all that are asked about the same records, which then are read once.
    """
    from attar.runtime.references import Exchange

    found, tokens = list[Exchange](), 0
    for split in splits:
        groups: dict[str, list[Sample]] = {}
        for sample in split:
            groups.setdefault(sample.group, []).append(sample)
        drawn = list(groups.values())
        random.Random(config.distillation.seed).shuffle(drawn)
        for samples in drawn:
            if tokens >= config.export.parity_tokens:
                return found
            rendered = render(samples, tokenizer)
            found += [Exchange(list(one.prompt), list(one.answer)) for one in rendered]
            tokens += sum(len(one.answer) for one in rendered)
    return found


def _trial(config: RunConfig, test: Sequence[Sample], tokenizer: ChatTokenizer) -> Trial:
    """Held-out questions for a form that chooses itself."""
    from ..export.answer_gate import Trial

    scored = test[: config.export.scored_samples]
    prompts = [prompt_ids(sample, tokenizer) for sample in scored]
    return Trial(prompts, [sample.answer for sample in scored], tokenizer.decode, config.measurement.max_new_tokens)


def _texts(config: RunConfig, data: Product, tokenizer: ChatTokenizer) -> list[list[int]]:
    """Training samples, evenly spread, that 4 bits are rounded by."""
    chosen = spread(training_samples(data), config.export.calibration_samples)
    return [[*sample.prompt, *sample.answer] for sample in render(chosen, tokenizer)]
