"""Python values to Arrow columns: one type for a column, text where its values have several.

Does not know where the values come from.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from .schema import written

__all__ = ["column_of", "joined"]

_NO_COMMON_TYPE = (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError, TypeError)


def column_of(values: Sequence[object]) -> pa.Array:
    """One column."""
    try:
        return pa.array(values)
    except _NO_COMMON_TYPE:
        return pa.array([written(value) for value in values], pa.string())


def joined(chunks: Sequence[pa.Array]) -> pa.ChunkedArray:
    """One column of chunks that were typed one by one; at least one chunk."""
    try:
        tables = [pa.table([chunk], ["column"]) for chunk in chunks]
        return pa.concat_tables(tables, promote_options="permissive").column(0)
    except _NO_COMMON_TYPE:
        texts = [[written(value) for value in chunk.to_pylist()] for chunk in chunks]
        return pa.chunked_array(texts, pa.string())
