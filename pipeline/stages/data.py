"""Stage ``data``: tables in; samples, and the records that the bundle carries, out. Does not know models."""

from __future__ import annotations

from functools import partial
from typing import Any

from attar.runtime.errors import DataError
from attar.runtime.files import sha256_file
from attar.runtime.records import Record, write_records

from ..config import RunConfig
from ..data import Sample, StructuredDataLoader, read_samples, write_samples
from .store import Product, Stage, Work

__all__ = ["RECORDS", "configured_loader", "stage", "test_samples", "training_samples"]

RECORDS = "records.sqlite"
_SAMPLES = "samples.jsonl"


def stage(config: RunConfig) -> Stage:
    """The stage for a config."""
    tables = config.data.tables
    inputs = {
        "data": config.data.model_dump(mode="json", exclude={"tables"}),
        "tables": [table.model_dump(mode="json", exclude={"path", "license"}) for table in tables],
        "files": [sha256_file(table.path) for table in tables if table.path.is_file()],
        "seed": config.distillation.seed,
    }
    return Stage("data", __name__, inputs, partial(_work, config))


def training_samples(data: Product) -> list[Sample]:
    """The product's training split."""
    return [sample for sample in read_samples(data.path / _SAMPLES) if sample.split == "train"]


def test_samples(data: Product) -> list[Sample]:
    """The product's test split."""
    return [sample for sample in read_samples(data.path / _SAMPLES) if sample.split == "test"]


def _work(config: RunConfig, work: Work) -> dict[str, Any]:
    loader = configured_loader(config)
    samples = loader.prepare_distillation_dataset()
    write_samples(work.folder / _SAMPLES, samples)
    records = list(loader.records())
    named = (
        (Record(table.schema.label, entity, text), table.schema.names_of(table.rows[number]))
        for table, number, entity, text in records
    )
    schemas = [table.schema for table in loader.tables]
    labels = [text for schema in schemas for text in (schema.label, *(column.label for column in schema.columns))]
    write_records(work.folder / RECORDS, named, labels)
    counts = {split: sum(sample.split == split for sample in samples) for split in ("train", "test")}
    sources = {table.schema.label: table.source_sha256 for table in loader.tables}
    return {"samples": counts, "records": len(records), "sources": sources}


def configured_loader(config: RunConfig) -> StructuredDataLoader:
    """A loader with the config's settings and all its tables.

    Raises:
        DataError: A table or a column that the config names is missing or can't be read.
    """
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
    for number, table in enumerate(section.tables):
        try:
            loader.load(table.path, label=table.label, entity=table.entity, columns=table.columns)
        except DataError as error:
            error.where = f"data.tables.{number}: {error.where or table.path}"
            raise
    return loader
