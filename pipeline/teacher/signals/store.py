"""A folder of signals: Arrow files that are only ever added to, and a manifest that says what they are of.

One row of a file is one sample: its key, and for each token of its answer what was kept. Files are mapped into
memory, not read into it. Does not know teachers, nor what the numbers mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from attar.runtime.errors import Refused, SignalError
from attar.runtime.files import locked, read_json, replaced_file, sha256_file, sweep, write_json

__all__ = ["SignalStore"]

_MANIFEST = "signals.json"
_FORMAT = 1
_COLUMN = "answer"

Columns = Mapping[str, npt.NDArray[Any]]
"""What was kept of tokens, by name: ``[tokens]`` or ``[tokens, k]``."""


class SignalStore:
    """Signals of one identity in a folder, which is made with the first of them.

    Args:
        folder: Where they are.
        identity: What they are of; see :func:`~.identity.identity_of`.

    Raises:
        SignalError: What is there is of something else, or damaged.
        Refused: Something else is there.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any]) -> None:
        self.folder = folder
        self._identity = dict(identity)
        self._shards: dict[str, dict[str, Any]] = {}
        self._columns: list[dict[str, npt.NDArray[Any]]] = []
        self._keys = np.zeros(0, np.uint64)
        self._places = np.zeros((0, 3), np.int64)  # shard, first token, number of tokens
        self._open()

    @property
    def samples(self) -> int:
        """How many samples there are signals of."""
        return len(self._keys)

    @property
    def tokens(self) -> int:
        """How many answer tokens those have."""
        return int(self._places[:, 2].sum())

    @property
    def bytes_per_token(self) -> float:
        """Bytes on disk for each answer token, index and headers included."""
        return sum(int(shard["size"]) for shard in self._shards.values()) / max(1, self.tokens)

    def has(self, keys: Sequence[int]) -> npt.NDArray[np.bool_]:
        """``[n]`` whether there are signals under each key."""
        return self._find(np.array(keys, np.uint64))[1]

    def read(self, keys: Sequence[int]) -> dict[str, npt.NDArray[Any]]:
        """What was kept of these samples' tokens, one after the other.

        Raises:
            SignalError: There is nothing under a key.
        """
        found, there = self._find(np.array(keys, np.uint64))
        if not there.all():
            raise SignalError(
                "There are no signals of a sample.",
                where=self.folder,
                why="It was not there, or had other tokens, when they were taken.",
                next_step="Take the signals of all samples, with capture, before they are asked for.",
            )
        pieces = [(self._columns[shard], slice(start, start + length)) for shard, start, length in self._places[found]]
        return {name: np.concatenate([part[name][place] for part, place in pieces]) for name in pieces[0][0]}

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the folder alone, with what others may have added in the meantime.

        Raises:
            Refused: Another process writes there.
        """
        with locked(self.folder):
            sweep(self.folder)
            self._open()
            if not self._shards:
                self._write_manifest()
            yield

    def append(self, keys: Sequence[int], lengths: Sequence[int], columns: Columns) -> None:
        """Add samples as one file; it is there whole or not at all.

        Args:
            keys: Of the samples.
            lengths: How many answer tokens each has.
            columns: What is kept of those, one sample after the other.
        """
        name = f"{len(self._shards):05d}.arrow"
        batch = _as_arrow(keys, lengths, columns)
        path = self.folder / name
        with (
            replaced_file(path) as temporary,
            pa.OSFile(str(temporary), "wb") as sink,
            pa.ipc.new_file(sink, batch.schema) as writer,
        ):
            writer.write_batch(batch)
        self._shards[name] = {"size": path.stat().st_size, "sha256": sha256_file(path)} | {
            "samples": len(keys),
            "tokens": sum(lengths),
        }
        self._write_manifest()
        self._map(name)
        self._sort()

    def _open(self) -> None:
        """Check what is there, and map it."""
        self._columns.clear()
        self._keys, self._places = self._keys[:0], self._places[:0]
        manifest = self.folder / _MANIFEST
        if not manifest.is_file():
            self._shards = {}
            self._require_empty()
            return
        try:
            known: dict[str, Any] = read_json(manifest)
            theirs, self._shards = dict(known["of"]), dict(known["shards"])
        except (ValueError, KeyError, TypeError) as error:
            raise self._damaged(manifest, error) from error
        self._require_same(theirs | {"format": known.get("format")})
        for name in self._shards:
            self._map(name)
        self._sort()

    def _map(self, name: str) -> None:
        path = self.folder / name
        try:
            if sha256_file(path) != self._shards[name]["sha256"]:
                raise ValueError("its bytes are not those of the manifest")
            with pa.memory_map(str(path)) as source:
                batch = pa.ipc.open_file(source).get_batch(0)
        except (OSError, ValueError) as error:
            raise self._damaged(path, error) from error
        keys, places, columns = _from_arrow(batch)
        shard = np.full((len(keys), 1), len(self._columns))
        self._columns.append(columns)
        self._keys = np.concatenate([self._keys, keys])
        self._places = np.concatenate([self._places, np.hstack([shard, places])])

    def _sort(self) -> None:
        order = np.argsort(self._keys, kind="stable")
        self._keys, self._places = self._keys[order], self._places[order]

    def _find(self, keys: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
        if not len(self._keys):
            return np.zeros(len(keys), np.intp), np.zeros(len(keys), np.bool_)
        places = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        return places, self._keys[places] == keys

    def _write_manifest(self) -> None:
        write_json(self.folder / _MANIFEST, {"format": _FORMAT, "of": self._identity, "shards": self._shards})

    def _require_empty(self) -> None:
        others = [path.name for path in self.folder.iterdir()] if self.folder.is_dir() else []
        if other := next((name for name in sorted(others) if not name.startswith(".")), None):
            raise Refused(
                "Something else stands where signals should go.",
                where=self.folder,
                why=f"There is {other}, but no {_MANIFEST}.",
                next_step="Choose another distillation.signal_folder.",
            )

    def _require_same(self, theirs: Mapping[str, Any]) -> None:
        ours = {**self._identity, "format": _FORMAT}
        differing = [name for name in ours if theirs.get(name) != ours[name]]
        if differing:
            raise SignalError(
                "The cached signals are not of this teacher and these settings.",
                where=self.folder,
                why=f"Another {' and another '.join(differing)}.",
                next_step="Choose another distillation.signal_folder, or remove this one: signals are then taken anew.",
            )

    def _damaged(self, path: Path, why: object) -> SignalError:
        return SignalError(
            "The cached signals are damaged.",
            where=path,
            why=why,
            next_step=f"Remove {self.folder}: signals are then taken anew.",
        )


def _as_arrow(keys: Sequence[int], lengths: Sequence[int], columns: Columns) -> pa.RecordBatch:
    fields = {name: _fixed(values) for name, values in columns.items()}
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    tokens = pa.StructArray.from_arrays(list(fields.values()), list(fields))
    answers = pa.ListArray.from_arrays(pa.array(offsets), tokens)
    return pa.record_batch({"key": pa.array(np.array(keys, np.uint64)), _COLUMN: answers})


def _fixed(values: npt.NDArray[Any]) -> pa.Array:
    flat = pa.array(values.reshape(-1))
    return flat if values.ndim == 1 else pa.FixedSizeListArray.from_arrays(flat, values.shape[1])


def _from_arrow(
    batch: pa.RecordBatch,
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64], dict[str, npt.NDArray[Any]]]:
    """Keys, ``[n, 2]`` first token and number of tokens, and the columns, none of them copied."""
    answers = batch.column(_COLUMN)
    offsets = answers.offsets.to_numpy().astype(np.int64)
    columns = {}
    for number, field in enumerate(answers.type.value_type):
        values = answers.values.field(number)
        width = field.type.list_size if pa.types.is_fixed_size_list(field.type) else None
        flat = (values if width is None else values.values).to_numpy()
        columns[field.name] = flat if width is None else flat.reshape(-1, width)
    return batch.column("key").to_numpy(), np.stack([offsets[:-1], np.diff(offsets)], axis=1), columns
