"""Checkpoints: unfinished work of a stage, for the attempt that comes after a crash.

A folder with one safetensors file for each phase of training, others for weights that it may go back to, and one JSON
file for each result that is dear and done. Every file is written beside its place and moved in when whole. A phase can
name what it starts from and learns of; its checkpoint is refused to any other. Does not know what the tensors mean.
"""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from attar.runtime.errors import Refused
from attar.runtime.files import read_json, replaced_file, write_json

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Checkpoint", "Checkpoints"]

_FACTS = "facts"
_ORIGIN = "origin"
_SPENT = "spent.json"
_KINDS = {"torch.float32": "F32", "torch.uint8": "U8"}


@dataclass(frozen=True)
class Checkpoint:
    """Tensors by name, and facts as JSON values."""

    tensors: dict[str, Tensor]
    facts: dict[str, Any]


class Checkpoints:
    """A folder of checkpoints.

    Args:
        folder: Made when the first is saved.
        every_seconds: Least time between two checkpoints of one phase; 0 saves at every chance.
    """

    def __init__(self, folder: Path, every_seconds: float = 120.0) -> None:
        self.folder = folder
        self.every_seconds = every_seconds
        self.earlier_seconds = self._spent()
        self._started = self._last = time.monotonic()
        self._origin: Mapping[str, str] = {}

    def of(self, **origin: str) -> Checkpoints:
        """The same folder, for phases that start from these: by name, what tells each from others, such as a hash."""
        same = copy.copy(self)
        same._origin = origin
        return same

    def is_due(self) -> bool:
        """Whether it is time for another."""
        return time.monotonic() - self._last >= self.every_seconds

    def save(self, phase: str, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Keep the state of a phase in place of its earlier one.

        Raises:
            OSError: It can't be written; the earlier one is still there.
        """
        self._write(self._file(phase), tensors, facts)
        self._last = time.monotonic()
        write_json(self.folder / _SPENT, {"seconds": self.earlier_seconds + self._last - self._started})

    def load(self, phase: str) -> Checkpoint | None:
        """The last state of a phase, if there is one.

        Raises:
            Refused: It is of another origin.
        """
        from safetensors import safe_open

        file = self._file(phase)
        if not file.is_file():
            return None
        with safe_open(file, framework="pt") as stored:
            about = {name: json.loads(text) for name, text in stored.metadata().items()}
            self._require_same_origin(phase, about.get(_ORIGIN, {}))
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 - it is no dict
            return Checkpoint(tensors, about[_FACTS])

    def keep(self, phase: str, step: int, tensors: Mapping[str, Tensor]) -> None:
        """Keep tensors of a step beside the state of a phase, which goes on as if nothing were saved.

        Raises:
            OSError: They can't be written.
        """
        self._write(self._file_of(phase, step), tensors, {})

    def kept(self, phase: str, step: int) -> Iterator[tuple[str, Tensor]]:
        """Those tensors by name, one at a time: together they may be as large as all that is trained."""
        from safetensors import safe_open

        with safe_open(self._file_of(phase, step), framework="pt") as stored:
            for name in stored.keys():  # noqa: SIM118 - it is no dict
                yield name, stored.get_tensor(name)

    def drop_all_but(self, phase: str, steps: Container[int | None]) -> None:
        """Delete what was kept of other steps."""
        for file in self.folder.glob(self._file_of(phase, "*").name):
            if int(file.stem.rpartition("-")[2]) not in steps:
                file.unlink()

    def remember(self, name: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """A result as JSON values: the one that an earlier attempt kept, or a new one."""
        file = self.folder / f"{_slug(name)}.json"
        if not file.is_file():
            write_json(file, make())
        return read_json(file)

    def _require_same_origin(self, phase: str, found: Mapping[str, str]) -> None:
        other = [name for name, value in self._origin.items() if found.get(name) != value]
        if other:
            raise Refused(
                f"The checkpoint of {phase!r} is of another {' and another '.join(other)}.",
                where=self._file(phase),
                why="Going on from it would train on weights that do not belong together.",
                next_step="Give what it was made with, or another folder for checkpoints.",
            )

    def _file(self, phase: str) -> Path:
        return self.folder / f"{_slug(phase)}.safetensors"

    def _file_of(self, phase: str, step: int | str) -> Path:
        return self._file(f"{phase} after {step}")

    def _write(self, file: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        with replaced_file(file) as temporary, temporary.open("wb") as stream:
            _write(stream, tensors, {_FACTS: facts, _ORIGIN: self._origin})

    def _spent(self) -> float:
        file = self.folder / _SPENT
        return float(str(read_json(file)["seconds"])) if file.is_file() else 0.0


def _write(stream: BinaryIO, tensors: Mapping[str, Tensor], about: Mapping[str, Mapping[str, Any]]) -> None:
    """The safetensors format, straight from the tensors' memory.

    The library's writers first copy all of it, which for a teacher with its moments is more than a gigabyte.
    """
    header: dict[str, Any] = {"__metadata__": {name: json.dumps(dict(values)) for name, values in about.items()}}
    offset = 0
    for name, tensor in tensors.items():
        end = offset + tensor.nbytes
        kind = _KINDS[str(tensor.dtype)]
        header[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode("utf-8")
    text += b" " * (-len(text) % 8)
    stream.write(len(text).to_bytes(8, "little") + text)
    for tensor in tensors.values():
        stream.write(tensor.contiguous().numpy().data)


def _slug(name: str) -> str:
    return name.replace(" ", "-")
