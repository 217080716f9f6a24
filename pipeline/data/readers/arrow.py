"""Arrow IPC files, which Feather files are: the file form and the stream form. Does not know what the columns mean."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa

from ..batches import Batch
from .gathering import BATCH_BYTES, BATCH_ROWS

__all__ = ["batches_of", "read_arrow"]

_FILE_FORM = b"ARROW1"


def read_arrow(path: Path) -> Iterator[Batch]:
    """An Arrow file of either form."""
    with path.open("rb") as stream:
        is_file = stream.read(len(_FILE_FORM)) == _FILE_FORM
    with pa.memory_map(str(path)) as mapped:
        yield from batches_of(_held(mapped) if is_file else pa.ipc.open_stream(mapped), str(path))


def batches_of(held: Iterable[pa.RecordBatch], source: str, *, typed: bool = True) -> Iterator[Batch]:
    """Arrow batches of any size as batches of rows; dictionaries become the values that they stand for."""
    first = 0
    for batch in held:
        rows = max(1, min(BATCH_ROWS, BATCH_BYTES * batch.num_rows // max(1, batch.nbytes)))
        for start in range(0, batch.num_rows, rows):
            piece = _decoded(batch.slice(start, rows))
            yield Batch(piece, source, first, typed)
            first += piece.num_rows


def _held(mapped: pa.NativeFile) -> Iterator[pa.RecordBatch]:
    file = pa.ipc.open_file(mapped)
    for number in range(file.num_record_batches):
        yield file.get_batch(number)


def _decoded(batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = [c.dictionary_decode() if pa.types.is_dictionary(c.type) else c for c in batch.columns]
    return pa.RecordBatch.from_arrays(columns, batch.schema.names)
