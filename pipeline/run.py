"""One run: data, teacher, student, export, measurement, bundle; each stage from the products before it.

Hands on a report and ``runs/NAME/bundle``. Does not know how any stage does its work.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from attar.runtime.bundle import MANIFEST_FILE, Bundle
from attar.runtime.files import sha256_file
from attar.runtime.records import Record, write_records

from .config import RunConfig
from .data import Sample, StructuredDataLoader, read_samples, write_samples
from .progress import say
from .report import Report, model_card
from .stages import Product, Stages

__all__ = ["run"]

_SAMPLES = "samples.jsonl"
_RECORDS = "records.sqlite"
_MODEL = "model"
_BUNDLE = "bundle"
_PARITY_PROMPTS = 16
_LIBRARIES = ("torch", "transformers", "optimum", "optimum-onnx", "onnx", "onnxruntime", "tokenizers")


def run(config: RunConfig, runs: Path = Path("runs")) -> Report:
    """Do what is not done yet, in order.

    Args:
        config: The run.
        runs: Folder of all runs.

    Raises:
        AttarError: A stage can't do its work; what earlier stages made is kept.
    """
    started = time.monotonic()
    folder = runs / config.name
    stages = Stages(folder / "stages")
    data = stages.make("data", _data_inputs(config), partial(_make_data, config))
    teacher = stages.make("teacher", _teacher_inputs(config, data), partial(_make_teacher, config, data))
    student = stages.make(
        "student",
        {
            "teacher": teacher.key,
            "distillation": config.distillation.model_dump(mode="json", exclude={"output", "teacher_license"}),
        },
        partial(_make_student, config, data, teacher),
    )
    export = stages.make(
        "export",
        {"student": student.key, "export": config.export.model_dump(mode="json"), "licenses": _licenses(config)},
        partial(_make_export, config, data, teacher, student),
    )
    measurement = stages.make(
        "measurement",
        {"export": export.key, "measurement": config.measurement.model_dump(mode="json")},
        partial(_make_measurement, config, data, teacher, export),
    )
    if not (folder / _BUNDLE / MANIFEST_FILE).is_file():
        stages.forget("card")
    report = _report(folder, teacher, student, measurement)
    stages.make("card", {"measurement": measurement.key}, partial(_publish, report, export, folder))
    return _timed(report, stages, time.monotonic() - started)


def _data_inputs(config: RunConfig) -> dict[str, Any]:
    tables = config.data.tables
    return {
        "data": config.data.model_dump(mode="json", exclude={"tables"}),
        "tables": [table.model_dump(mode="json", exclude={"path", "license"}) for table in tables],
        "files": [sha256_file(table.path) for table in tables if table.path.is_file()],
        "seed": config.distillation.seed,
    }


def _teacher_inputs(config: RunConfig, data: Product) -> dict[str, Any]:
    names = (
        "teacher_model_name",
        "correction",
        "batch_tokens",
        "questions_per_sequence",
        "precision",
        "warmup",
        "seed",
    )
    chosen = config.distillation.model_dump(mode="json", include=set(names))
    return {"data": data.key, "distillation": chosen, "max_new_tokens": config.measurement.max_new_tokens}


def _licenses(config: RunConfig) -> dict[str, Any]:
    return {
        "teacher": config.distillation.teacher_license,
        "data": {table.label or table.path.stem: table.license for table in config.data.tables},
    }


def _make_data(config: RunConfig, folder: Path) -> dict[str, Any]:
    section = config.data
    loader = StructuredDataLoader(
        questions_per_record=section.questions_per_record,
        records_per_table=section.records_per_table,
        counterfactual=section.counterfactual,
        test_share=section.test_share,
        test_questions=section.test_questions,
        salt=section.salt,
        seed=config.distillation.seed,
    )
    for table in section.tables:
        loader.load(table.path, label=table.label, entity=table.entity, columns=table.columns)
    samples = loader.prepare_distillation_dataset()
    write_samples(folder / _SAMPLES, samples)
    records = list(loader.records())
    named = (
        (Record(table.schema.label, entity, text), table.schema.names_of(table.rows[number]))
        for table, number, entity, text in records
    )
    schemas = [table.schema for table in loader.tables]
    labels = [text for schema in schemas for text in (schema.label, *(column.label for column in schema.columns))]
    write_records(folder / _RECORDS, named, labels)
    counts = {split: sum(sample.split == split for sample in samples) for split in ("train", "test")}
    sources = {table.schema.label: table.source_sha256 for table in loader.tables}
    return {"samples": counts, "records": len(records), "sources": sources}


def _make_teacher(config: RunConfig, data: Product, folder: Path) -> dict[str, Any]:
    from .teacher import save_model
    from .training.distiller import ModelDistiller

    samples = read_samples(data.path / _SAMPLES)
    distiller = ModelDistiller(config.distillation)
    say(f"teacher: loading {config.distillation.teacher_model_name}")
    teacher = distiller.load_teacher_model()
    scores = {"teacher": _score_torch(config, teacher, samples, "score teacher as it came")}
    if config.distillation.correction.steps:
        distiller.correct_teacher(samples)
        scores["corrected_teacher"] = _score_torch(config, teacher, samples, "score corrected teacher")
    else:
        scores["corrected_teacher"] = scores["teacher"]
    save_model(teacher, folder / _MODEL)
    return {"scores": scores, "parameters": teacher.parameters}


def _make_student(config: RunConfig, data: Product, teacher: Product, folder: Path) -> dict[str, Any]:
    from .config import CorrectionConfig
    from .training.distiller import ModelDistiller

    samples = read_samples(data.path / _SAMPLES)
    corrected = {
        "teacher_model_name": str(teacher.path / _MODEL),
        "correction": CorrectionConfig(steps=0),
        "output": folder / _MODEL,
    }
    distiller = ModelDistiller(config.distillation.model_copy(update=corrected))
    student = distiller.distill(samples)
    distiller.save_distilled_model()
    score = _score_torch(config, student, samples, "score student")
    return {"scores": {"student": score}, "parameters": student.parameters}


def _make_export(config: RunConfig, data: Product, teacher: Product, student: Product, folder: Path) -> dict[str, Any]:
    from attar.runtime.text import ChatTokenizer

    from .export import export_model
    from .export.writing import Provenance

    tokenizer = ChatTokenizer.load(student.path / _MODEL)
    prompts = [tokenizer.encode_chat(sample.messages) for sample in _test(data)[:_PARITY_PROMPTS]]
    lineage = {
        "teacher": config.distillation.teacher_model_name,
        "teacher_parameters": teacher.facts["parameters"],
        "sources": data.facts["sources"],
        "samples": data.facts["samples"],
        "stages": {"data": data.key, "teacher": teacher.key, "student": student.key},
        "versions": {name: _version(name) for name in ("attar", *_LIBRARIES)},
    }
    bundle = export_model(
        student.path / _MODEL,
        folder / _BUNDLE,
        config.export,
        prompts=prompts,
        provenance=Provenance(lineage, _licenses(config)),
        add_records=partial(shutil.copyfile, data.path / _RECORDS),
    )
    return {"size": bundle.size, "parity": bundle.manifest.parity}


def _make_measurement(
    config: RunConfig, data: Product, teacher: Product, export: Product, folder: Path
) -> dict[str, Any]:
    from .evaluation import score
    from .evaluation.bundles import bundle_answers
    from .measurement import Variant, measure_costs

    test = _test(data)
    bundle = Bundle.open(export.path / _BUNDLE)
    settings = config.measurement
    answers, prompt = bundle_answers(bundle, test, max_new_tokens=settings.max_new_tokens, threads=settings.threads)
    costs = measure_costs(
        {"bundle": Variant("bundle", bundle.path), "teacher": Variant("torch", teacher.path / _MODEL)},
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


def _publish(report: Report, export: Product, folder: Path, stage: Path) -> dict[str, Any]:
    from .export.writing import publish

    bundle = Bundle.open(export.path / _BUNDLE)
    card = model_card(bundle.manifest, report)
    publish(bundle, folder / _BUNDLE, scores=report.scores, card=card)
    (stage / "card.md").write_text(card, encoding="utf-8")
    return {}


def _report(folder: Path, teacher: Product, student: Product, measurement: Product) -> Report:
    costs = measurement.facts["costs"]
    return Report(
        run=folder,
        bundle=folder / _BUNDLE,
        seconds={},
        cached=[],
        scores=teacher.facts["scores"] | student.facts["scores"] | measurement.facts["scores"],
        costs=costs["variants"],
        ratios={
            "parameters": student.facts["parameters"] / teacher.facts["parameters"],
            **{name: found["ratio"] for name, found in costs["ratios"].items()},
        },
        intervals={name: (found["low"], found["high"]) for name, found in costs["ratios"].items()},
    )


def _timed(report: Report, stages: Stages, total: float) -> Report:
    products = stages.products
    seconds = {"total": round(total, 3)} | {name: product.seconds for name, product in products.items()}
    cached = [name for name, product in products.items() if product.cached]
    return replace(report, seconds=seconds, cached=cached)


def _score_torch(config: RunConfig, loaded: Any, samples: list[Sample], title: str) -> dict[str, float]:
    from .evaluation import greedy_answers, score
    from .training.precision import chosen_precision

    test = [sample for sample in samples if sample.split == "test"]
    limit = config.measurement.max_new_tokens
    precision = chosen_precision(config.distillation.precision)
    answers = greedy_answers(loaded, test, max_new_tokens=limit, precision=precision, title=title)
    return score(answers, [sample.answer for sample in test]).to_dict()


def _test(data: Product) -> list[Sample]:
    return [sample for sample in read_samples(data.path / _SAMPLES) if sample.split == "test"]


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
