"""Stage ``data``: tables in; samples, and the records that the bundle carries, if any, out. Does not know models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from attar.runtime.errors import DataError
from attar.runtime.records import Record, write_records

from ..config import RunConfig
from ..data import (
    KindUse,
    Sample,
    Source,
    StructuredDataLoader,
    paraphrase,
    read_samples,
    require_both_splits,
    source_of,
    write_samples,
)
from .store import Product, Stage, Work

__all__ = ["RECORDS", "configured_loader", "sources_of", "stage", "test_samples", "training_samples"]

RECORDS = "records.sqlite"
_SAMPLES = "samples.jsonl"


def stage(config: RunConfig) -> Stage:
    """The stage for a config; asks its sources for what identifies their rows.

    Raises:
        DataError: A source is not there or can't be read.
    """
    tables = config.data.tables
    sources = sources_of(config)
    inputs = {
        "data": config.data.model_dump(mode="json", exclude={"tables"}),
        "tables": [table.model_dump(mode="json", exclude={"path", "license"}) for table in tables],
        "sources": [source.sha256 for source in sources],
        "seed": config.distillation.seed,
    }
    return Stage("data", __name__, inputs, partial(_work, config, sources))


def sources_of(config: RunConfig) -> list[Source]:
    """The tables' sources, in order.

    Raises:
        DataError: A source is not there or can't be read.
    """
    sources = []
    for number, table in enumerate(config.data.tables):
        with _located(f"data.tables.{number}"):
            sources.append(source_of(table))
    return sources


@contextmanager
def _located(key: str) -> Iterator[None]:
    """Name the config's key beside the place that a data error names."""
    try:
        yield
    except DataError as error:
        error.where = f"{key}: {error.where}" if error.where else key
        raise


def training_samples(data: Product) -> list[Sample]:
    """The product's training split."""
    return [sample for sample in read_samples(data.path / _SAMPLES) if sample.split == "train"]


def test_samples(data: Product) -> list[Sample]:
    """The product's test split."""
    return [sample for sample in read_samples(data.path / _SAMPLES) if sample.split == "test"]


def _work(config: RunConfig, sources: Sequence[Source], work: Work) -> dict[str, Any]:
    loader = configured_loader(config, sources)
    samples, rewritten = _rewritten(config, loader.prepare_distillation_dataset())
    require_both_splits(samples)
    write_samples(work.folder / _SAMPLES, samples)
    records = list(loader.records())
    named = (
        (Record(table.schema.label, entity, text), table.schema.names_of(table.rows[number]))
        for table, number, entity, text in records
    )
    schemas = [table.schema for table in loader.tables]
    labels = [text for schema in schemas for text in (schema.label, *(column.label for column in schema.columns))]
    if records:
        write_records(work.folder / RECORDS, named, labels)
    counts = {split: sum(sample.split == split for sample in samples) for split in ("train", "test")}
    hashes = {table.schema.label: table.source_sha256 for table in loader.tables}
    modes = dict(Counter(sample.mode for sample in samples))
    return {
        "samples": counts,
        "modes": modes,
        "dropped": dict(loader.dropped),
        "paraphrased": rewritten,
        "records": len(records),
        "sources": hashes,
    }


def _rewritten(config: RunConfig, samples: list[Sample]) -> tuple[list[Sample], dict[str, int]]:
    """The samples, in other words where the config says so, and what came of it."""
    wish = config.data.paraphrase
    if wish.model is None:
        return samples, {}
    from ..teacher.writing import causal_writer

    done = paraphrase(samples, causal_writer(wish.model), name=wish.model, share=wish.share, seed=wish.seed)
    return done.samples, dict(done.counts)


def configured_loader(config: RunConfig, sources: Sequence[Source]) -> StructuredDataLoader:
    """A loader with the config's settings and all its tables, read from these sources.

    Raises:
        DataError: A table can't be read, or lacks a column that the config names.
    """
    section = config.data
    loader = StructuredDataLoader(
        questions_per_record=section.questions_per_record,
        records_per_table=section.records_per_table,
        counterfactual=section.counterfactual,
        invented=section.invented,
        test_share=section.test_share,
        test_questions=section.test_questions,
        salt=section.salt,
        seed=config.distillation.seed,
        kinds={name: KindUse(kind.weight, kind.rows) for name, kind in section.kinds.items()},
        mode=section.mode,
    )
    for number, (table, source) in enumerate(zip(section.tables, sources, strict=True)):
        with _located(f"data.tables.{number}"):
            loader.load_source(source, label=table.label, entity=table.entity, columns=table.columns, given=table.given)
    return loader
