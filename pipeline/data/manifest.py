"""``dataset.json``: what a set of samples holds, recounted from its files, and what was left out on the way to it.

Hands on the manifest as JSON values. Does not know configs, stages or how the manifest is shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attar.runtime.errors import DataError
from attar.runtime.files import read_json

from ..versions import installed_versions
from .lineage import prove_splits
from .loader import StructuredDataLoader
from .loading import LoadedTable
from .samples import Sample, iterate_samples
from .schema_file import schema_entry
from .splits import SPLITS, RowSplits

__all__ = ["MANIFEST", "left_out", "manifest_of", "read_manifest", "samples_of"]

MANIFEST = "dataset.json"
_COUNTED = ("split", "table", "kind", "mode")


def samples_of(folder: Path) -> Iterator[Sample]:
    """The samples of a set, one by one: those to train on, then those to test on.

    Raises:
        DataError: See :func:`~.samples.iterate_samples`.
    """
    for split in SPLITS:
        yield from iterate_samples(folder / f"{split}.parquet")


def manifest_of(folder: Path, loader: StructuredDataLoader) -> dict[str, Any]:
    """The manifest of a set that a loader made.

    Args:
        folder: Where its samples were written.
        loader: What made them, with what it dropped.

    Raises:
        DataError: The splits are not proved to be apart.
    """
    counted = Counter(tuple(getattr(sample, name) for name in _COUNTED) for sample in samples_of(folder))
    proof = prove_splits(samples_of(folder), loader.tables, near_duplicates=loader.near_duplicates == "group")
    return {
        "samples": [dict(zip(_COUNTED, key, strict=True)) | {"count": count} for key, count in sorted(counted.items())],
        "dropped": dict(loader.filters.dropped + loader.dropped),
        "refused": {kind: count for kind, count in loader.refused.items() if count},
        "rows_left_out": _rows_left_out(loader),
        "answers_in_questions": loader.filters.gave_away,
        "split_proof": proof,
        "tables": [_table(table, loader.splits.get(place)) for place, table in enumerate(loader.tables)],
        "versions": installed_versions(),
    }


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a set.

    Raises:
        DataError: It is not there, or is no JSON.
    """
    try:
        return read_json(folder / MANIFEST)
    except (OSError, ValueError) as error:
        raise DataError(
            "The set can't be read.",
            where=folder / MANIFEST,
            why=error,
            next_step="Give the folder of a set, or make it anew with: attar data build CONFIG",
        ) from error


def left_out(manifest: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """What was left out, each with how often: samples by reason, questions that their checkers refused, rows."""
    yield from manifest["dropped"].items()
    yield from ((f"refused by the checker of {kind}", count) for kind, count in manifest["refused"].items())
    yield from manifest["rows_left_out"].items()


def _rows_left_out(loader: StructuredDataLoader) -> dict[str, int]:
    splits = loader.splits.values()
    counts = {
        "a row that can't be read": sum(len(table.rejects) for table in loader.tables),
        "a row without a name": sum(found.unnamed for found in splits),
        "a row that nearly repeats, or names, rows of both splits": sum(len(found.left_out) for found in splits),
    }
    return {reason: count for reason, count in counts.items() if count}


def _table(table: LoadedTable, splits: RowSplits | None) -> dict[str, Any]:
    rows = len(table.rows)
    looked_at = splits.looked_at if splits else rows
    note = f"Only {looked_at:,} of the {rows:,} rows were looked at, drawn by chance: enough for records_per_table."
    return {
        **schema_entry(table),
        **({"links": dict(table.links)} if table.links else {}),
        "rows": rows,
        "rows_looked_at": looked_at,
        **({"note": note} if looked_at < rows else {}),
        "rows_left_out": len(table.rejects),
    }
