"""Weights that several graphs of one model hold alike, kept once: each graph reads a file of its own and a shared one.

Alike is bit for bit: two forms that round the layers' products the same way differ by their embedding alone, and
others have at least the norms in common. Hands on the files of each graph. Does not know forms or bundles.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto
from onnx.external_data_helper import ExternalDataInfo, uses_external_data

from .fast.graph import PAGE

__all__ = ["SHARED_FILE", "write_sharing"]

SHARED_FILE = "shared.data"

Bytes = NDArray[np.uint8]


def write_sharing(graphs: Mapping[str, Path], folder: Path) -> dict[str, tuple[str, ...]]:
    """Write graphs into one folder, with what more than one of them has once.

    Args:
        graphs: Name of the file to write to a graph; weights that stand in a file beside it can be shared, those that
            stand in the graph itself can't.
        folder: Where to.

    Returns:
        Name of each graph's file to the names of all that it reads, itself first.
    """
    models = {name: onnx.load(path, load_external_data=False) for name, path in graphs.items()}
    held = {name: _weights(models[name], path.parent) for name, path in graphs.items()}
    count = Counter(digest for weights in held.values() for digest in {digest for _, digest, _ in weights})
    shared, files = _File(folder / SHARED_FILE), dict[str, tuple[str, ...]]()
    for name, model in models.items():
        own, read = _File(folder / f"{name}.data"), {name: None}
        for tensor, digest, values in held[name]:
            file = shared if count[digest] > 1 else own
            _point(tensor, file.path.name, file.place(digest, values), len(values))
            read[file.path.name] = None
        (folder / name).write_bytes(model.SerializeToString())
        files[name] = tuple(read)
    return files


class _File:
    """A file of weights, each from a whole page on and there once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._places: dict[bytes, int] = {}

    def place(self, digest: bytes, values: Bytes) -> int:
        """Where these bytes stand; they are written when they are first asked for."""
        if digest not in self._places:
            with self.path.open("ab") as stream:
                stream.write(bytes(-stream.tell() % PAGE))
                self._places[digest] = stream.tell()
                stream.write(values.data)
        return self._places[digest]


def _weights(model: ModelProto, folder: Path) -> list[tuple[TensorProto, bytes, Bytes]]:
    """The weights that stand beside a graph: each with the digest of its bytes, and these, mapped into memory."""
    found = list[tuple[TensorProto, bytes, Bytes]]()
    for tensor in model.graph.initializer:
        if uses_external_data(tensor):
            place = ExternalDataInfo(tensor)
            values = np.memmap(folder / place.location, np.uint8, "r", place.offset or 0, place.length)
            found.append((tensor, hashlib.sha256(values.data).digest(), values))
    return found


def _point(tensor: TensorProto, file: str, offset: int, length: int) -> None:
    del tensor.external_data[:]
    for key, value in {"location": file, "offset": offset, "length": length}.items():
        tensor.external_data.add(key=key, value=str(value))
