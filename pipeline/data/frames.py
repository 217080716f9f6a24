"""Tables that a program holds already: pandas DataFrames, Arrow tables, and what can be asked for as one.

Does not know what the columns mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from attar.runtime.errors import DataError, UsageError

from .columns import column_of
from .sources import Source

if TYPE_CHECKING:
    from pandas import DataFrame, Series

__all__ = ["frame_source"]


def frame_source(frame: Any, label: str = "record") -> Source:
    """The rows of a DataFrame, or of an Arrow table or batch.

    Args:
        frame: A pandas DataFrame, whose index becomes columns where it has names; or whatever gives Arrow data
            (``__arrow_c_stream__``), as the tables of pyarrow and polars do.
        label: What one row is.

    Raises:
        UsageError: It is neither.
        DataError: There are no rows, or columns of one name or without one.
    """
    from pandas import DataFrame

    name = f"{type(frame).__module__.partition('.')[0]}.{type(frame).__name__}"
    if isinstance(frame, DataFrame):
        return Source.of_rows(name, _arrow(frame, name), label)
    if isinstance(frame, pa.RecordBatch):
        return Source.of_rows(name, pa.Table.from_batches([frame]), label)
    if hasattr(frame, "__arrow_c_stream__"):
        return Source.of_rows(name, pa.table(frame), label)
    raise UsageError(
        f"A {name} is no table.",
        next_step="Give a pandas DataFrame or an Arrow table; rows as dicts become one by pyarrow.Table.from_pylist.",
    )


def _arrow(frame: DataFrame, where: str) -> pa.Table:
    named = [name for name in frame.index.names if name is not None]
    if named:
        try:
            frame = frame.reset_index(named)
        except ValueError as error:
            raise DataError(
                "The index has the name of a column.", where=where, why=error, next_step="Rename one of them."
            ) from None
    columns = [_column(frame.iloc[:, place]) for place in range(frame.shape[1])]
    return pa.Table.from_arrays(columns, [str(name) for name in frame.columns])


def _column(series: Series[Any]) -> pa.Array:
    try:
        found = pa.Array.from_pandas(series)
    except (pa.ArrowException, TypeError, OverflowError):
        found = column_of(series.tolist())
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
