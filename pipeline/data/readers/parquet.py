"""Parquet files, a piece of a row group at a time. Does not know what the columns mean."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet

from ..batches import Batch
from .arrow import batches_of
from .gathering import BATCH_BYTES, BATCH_ROWS

__all__ = ["read_parquet"]


def read_parquet(path: Path) -> Iterator[Batch]:
    """A Parquet file."""
    with pyarrow.parquet.ParquetFile(path) as file:
        held = file.metadata
        size = sum(held.row_group(number).total_byte_size for number in range(held.num_row_groups))
        rows = max(1, min(BATCH_ROWS, BATCH_BYTES * held.num_rows // max(1, size)))
        yield from batches_of(file.iter_batches(batch_size=rows), str(path))
