"""Rows put aside in a temporary file, to be read again and again without being held.

The file goes when nobody holds the spool any more. Does not know where the rows come from.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator

import pyarrow as pa

__all__ = ["Spool"]


class Spool:
    """Arrow batches on disk, whose types may differ from one to the next.

    Args:
        batches: What to put aside; all of it is, before the spool can be read.

    Raises:
        OSError: There is no room.
    """

    def __init__(self, batches: Iterable[pa.RecordBatch]) -> None:
        self._file = tempfile.NamedTemporaryFile(prefix="attar-rows-", suffix=".arrows")  # noqa: SIM115
        with pa.PythonFile(self._file.file, mode="w") as sink:
            for batch in batches:
                with pa.ipc.new_stream(sink, batch.schema) as stream:  # one for each, as a stream has one schema
                    stream.write_batch(batch)
            sink.flush()
            self._end = sink.tell()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        with pa.OSFile(self._file.name) as file:
            while file.tell() < self._end:
                with pa.ipc.open_stream(file) as stream:
                    yield from stream
