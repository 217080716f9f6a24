"""Stage ``data``: tables in; samples, and the records that the bundle carries, if any, out.

Does not know models, but for two that a config may name: the one that rewrites questions, and the teacher whose
tokenizer counts what max_tokens limits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from typing import Any

from attar.runtime.errors import DataError
from attar.runtime.files import write_atomic, write_json
from attar.runtime.records import Record, write_records
from attar.runtime.text import ChatTokenizer

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
    write_schemas,
)
from ..data.card import CARD, dataset_card
from ..data.manifest import MANIFEST, manifest_of, read_manifest
from ..data.render import rendered_length
from ..data.samples import sample_writer
from ..data.splits import SPLITS
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
    "write_card",
]

RECORDS = "records.sqlite"
SCHEMA = "schema.json"
REJECTS = "rejects.jsonl"


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
    if config.data.max_tokens is not None:
        inputs["tokenizer"] = config.distillation.teacher_model_name
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


def write_card(config: RunConfig, data: Product) -> None:
    """Write the set's card beside it.

    It is no part of the product: licenses are in no key, since a corrected one is no reason to train anew, and so
    the card is written again whenever the set is made or found.

    Raises:
        DataError: The set is not whole.
    """
    licenses = [table.license for table in config.data.tables]
    write_atomic(data.path / CARD, dataset_card(config.name, read_manifest(data.path), licenses))


def _work(config: RunConfig, sources: Sequence[Source], work: Work) -> dict[str, Any]:
    loader = configured_loader(config, sources)
    rewritten = _write_samples(config, loader, work)
    manifest = manifest_of(work.folder, loader)
    write_json(work.folder / MANIFEST, manifest)
    write_schemas(work.folder / SCHEMA, loader.tables)
    write_rejects(work.folder / REJECTS, (table.rejects for table in loader.tables))
    return {
        "samples": _counted(manifest, "split"),
        "modes": _counted(manifest, "mode"),
        "kinds": _counted(manifest, "kind"),
        "dropped": manifest["dropped"],
        "paraphrased": rewritten,
        "records": _write_records(work, loader) if config.data.mode == "grounded" else 0,
        "rejects": {table.schema.label: len(table.rejects) for table in loader.tables},
        "sources": {table.schema.label: table.source_sha256 for table in loader.tables},
    }


def _write_samples(config: RunConfig, loader: StructuredDataLoader, work: Work) -> dict[str, int]:
    """Write the samples as they come, a file for each split; returns what came of the wish to rewrite some."""
    samples, rewritten = _rewritten(config, loader.samples(), loader.too_long)
    counts: Counter[str] = Counter()
    with ExitStack() as files:
        writers = {split: files.enter_context(sample_writer(work.folder / f"{split}.parquet")) for split in SPLITS}
        for sample in samples:
            counts[sample.split] += 1
            writers[sample.split](sample)
    require_both_splits(counts)
    return rewritten


def _write_records(work: Work, loader: StructuredDataLoader) -> int:
    named = (
        (Record(table.schema.label, entity, text), table.schema.names_of(table.rows[number]))
        for table, number, entity, text in loader.records()
    )
    schemas = [table.schema for table in loader.tables]
    labels = [text for schema in schemas for text in (schema.label, *(column.label for column in schema.columns))]
    return write_records(work.folder / RECORDS, named, labels)


def _counted(manifest: dict[str, Any], by: str) -> dict[str, int]:
    """How many samples there are of each split, kind or mode."""
    counts: Counter[str] = Counter()
    for group in manifest["samples"]:
        counts[group[by]] += group["count"]
    return dict(counts)


def _too_long(config: RunConfig) -> Callable[[Sample], bool] | None:
    """Whether a sample is over the config's max_tokens; the tokenizer is loaded when the first one is asked about."""
    most = config.data.max_tokens
    if most is None:
        return None

    @cache
    def tokenizer() -> ChatTokenizer:
        from ..teacher.loading import load_tokenizer

        return load_tokenizer(config.distillation.teacher_model_name)

    return lambda sample: rendered_length(sample, tokenizer()) > most


def _rewritten(
    config: RunConfig, samples: Iterable[Sample], too_long: Callable[[Sample], bool] | None
) -> tuple[Iterable[Sample], dict[str, int]]:
    """The samples, in other words where the config says so, and what came of it."""
    wish = config.data.paraphrase
    if wish.model is None:
        return samples, {}
    from ..teacher.writing import causal_writer

    done = paraphrase(
        samples,
        causal_writer(wish.model),
        name=wish.model,
        share=wish.share,
        seed=wish.seed,
        too_long=too_long,
    )
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
        shared_prompts=section.shared_prompts,
        test_share=section.test_share,
        test_questions=section.test_questions,
        salt=section.salt,
        seed=config.distillation.seed,
        near_duplicates=section.near_duplicates,
        caps={str(name): share for name, share in section.caps.items()},
        kinds={name: KindUse(kind.weight, kind.rows) for name, kind in section.kinds.items()},
        mode=section.mode,
        too_long=_too_long(config),
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
                links=table.links,
            )
    return loader
