"""The hash of rows that are in no file: of their names, types and written values, however they come in batches.

Does not know where they come from.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable

import pyarrow as pa

from .batches import Batch
from .columns import joined
from .schema import written

__all__ = ["rows_sha256"]


def rows_sha256(batches: Callable[[], Iterable[Batch]]) -> str:
    """Hash of names, types and written values; the batches are asked for twice, and one is held at a time."""
    types: dict[str, list[pa.DataType]] = {}
    for batch in batches():
        for field in batch.rows.schema:
            seen = types.setdefault(field.name, [])
            if field.type not in seen:
                seen.append(field.type)
    common = [[name, str(joined([pa.array([], kind) for kind in kinds]).type)] for name, kinds in types.items()]
    digest = hashlib.sha256(json.dumps(common).encode())
    for batch in batches():
        held = dict(zip(batch.rows.schema.names, batch.rows.columns, strict=True))
        absent = [None] * batch.rows.num_rows
        columns = (held[name].to_pylist() if name in held else absent for name in types)
        for row in zip(*columns, strict=True):
            digest.update(json.dumps([written(value) for value in row]).encode())
    return digest.hexdigest()
