"""Stage ``data``: tables in; samples, and the records that the bundle carries, if any, out. Does not know models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from attar.runtime.errors import DataError
from attar.runtime.files import write_json
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
    schema_sha256,
    source_of,
    write_rejects,
    write_samples,
    write_schemas,
)
from ..data.lineage import prove_splits
from ..data.samples import iterate_samples
from ..data.splits import SPLITS
from ..versions import installed_versions
from .store import Product, Stage, Work

__all__ = [
    "RECORDS",
    "REJECTS",
    "SCHEMA",
    "configured_loader",
    "sources_of",
    "stage",
    "test_samples",
    "training_samples",
]

RECORDS = "records.sqlite"
SCHEMA = "schema.json"
REJECTS = "rejects.jsonl"
_MANIFEST = "dataset.json"


def stage(config: RunConfig) -> Stage:
    """The stage for a config; asks its sources for what identifies their rows.

    Raises:
        DataError: A source is not there or can't be read.
    """
    tables = config.data.tables
    sources = sources_of(config)
    inputs = {
        "data": config.data.model_dump(mode="json", exclude={"tables"}),
        "tables": [table.model_dump(mode="json", exclude={"path", "license", "schema_file"}) for table in tables],
        "sources": [source.sha256 for source in sources],
        "schemas": _schema_hashes(config),
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


def _schema_hashes(config: RunConfig) -> list[str | None]:
    """Hash of each table's schema file, where it has one."""
    hashes = []
    for number, table in enumerate(config.data.tables):
        with _located(f"data.tables.{number}"):
            hashes.append(schema_sha256(table.schema_file) if table.schema_file else None)
    return hashes


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
    return read_samples(data.path / "train.parquet")


def test_samples(data: Product) -> list[Sample]:
    """The product's test split."""
    return read_samples(data.path / "test.parquet")


def _work(config: RunConfig, sources: Sequence[Source], work: Work) -> dict[str, Any]:
    loader = configured_loader(config, sources)
    samples, rewritten = _rewritten(config, loader.prepare_distillation_dataset())
    require_both_splits(samples)
    for split in SPLITS:
        write_samples(work.folder / f"{split}.parquet", (one for one in samples if one.split == split))
    manifest = _manifest(config, loader, work)
    write_json(work.folder / _MANIFEST, manifest)
    named = (
        (Record(table.schema.label, entity, text), table.schema.names_of(table.rows[number]))
        for table, number, entity, text in loader.records()
    )
    schemas = [table.schema for table in loader.tables]
    labels = [text for schema in schemas for text in (schema.label, *(column.label for column in schema.columns))]
    records = write_records(work.folder / RECORDS, named, labels) if config.data.mode == "grounded" else 0
    write_schemas(work.folder / SCHEMA, loader.tables)
    write_rejects(work.folder / REJECTS, (table.rejects for table in loader.tables))
    return {
        "samples": {split: sum(sample.split == split for sample in samples) for split in SPLITS},
        "modes": dict(Counter(sample.mode for sample in samples)),
        "dropped": manifest["dropped"],
        "paraphrased": rewritten,
        "records": records,
        "rejects": {table.schema.label: len(table.rejects) for table in loader.tables},
        "sources": manifest["sources"],
    }


def _manifest(config: RunConfig, loader: StructuredDataLoader, work: Work) -> dict[str, Any]:
    """Counts, drops and the proof of the splits, recounted from the files."""
    written = [sample for split in SPLITS for sample in iterate_samples(work.folder / f"{split}.parquet")]
    proof = prove_splits(written, loader.tables, near_duplicates=config.data.near_duplicates == "group")
    left_out = sum(len(found.left_out) for found in loader.splits.values())
    counted = Counter((sample.split, sample.table, sample.kind, sample.mode) for sample in written)
    names = ("split", "table", "kind", "mode")
    return {
        "samples": [dict(zip(names, key, strict=True)) | {"count": count} for key, count in sorted(counted.items())],
        "dropped": dict(loader.filters.dropped + loader.dropped),
        "refused": dict(loader.refused),
        "answers_in_questions": loader.filters.gave_away,
        "rows_left_out": {"near-duplicate of rows in both splits": left_out},
        "split_proof": proof,
        "sources": {table.schema.label: table.source_sha256 for table in loader.tables},
        "licenses": {table.name: table.license for table in config.data.tables},
        "versions": installed_versions(),
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
        near_duplicates=section.near_duplicates,
        caps={str(name): share for name, share in section.caps.items()},
        kinds={name: KindUse(kind.weight, kind.rows) for name, kind in section.kinds.items()},
        mode=section.mode,
    )
    for number, (table, source) in enumerate(zip(section.tables, sources, strict=True)):
        with _located(f"data.tables.{number}"):
            loader.load_source(
                source,
                label=table.label,
                entity=table.entity,
                columns=table.columns,
                schema_file=table.schema_file,
                max_rejects=table.max_rejects,
                given=table.given,
            )
    return loader
