"""Stages: a step of a run whose product is kept under the hash of all that went in.

A key is made of the stage's code, its inputs and the keys of the stages before it, so all keys are known before
anything runs. A product is a folder that is written beside its place and moved in when whole, with ``stage.json``
inside, which also names every file of it. Unfinished work has a folder of its own, under the key.
Does not know what any stage does.
"""

from __future__ import annotations

import errno
import json
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from attar.runtime.errors import OutOfSpace
from attar.runtime.files import read_json, sha256_file, sha256_text, staged_folder, sweep, write_json

from ..allocation import return_free_memory
from ..checkpoints import Checkpoints
from ..measurement import memory
from ..progress import say
from .code import code_hash

__all__ = ["Product", "Stage", "Stages", "Work"]

_FILE = "stage.json"
_UNFINISHED = ".unfinished"
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True)
class Product:
    """What a stage made.

    Attributes:
        path: Its folder.
        key: Hash of everything that went in.
        facts: What the stage found out.
        files: SHA-256 and size of each of its files.
        seconds: How long it took when it was made, interrupted attempts included.
        cached: Whether it was there already.
        peak_memory: The most bytes that the process held while it was made; 0 where the kernel did not tell.
    """

    path: Path
    key: str
    facts: dict[str, Any]
    files: dict[str, dict[str, Any]]
    seconds: float
    cached: bool
    peak_memory: int = 0


@dataclass(frozen=True)
class Work:
    """What a stage works with.

    Attributes:
        folder: The folder to fill.
        products: Those of the stages that it needs.
        checkpoints: Where unfinished work is kept for the next attempt.
    """

    folder: Path
    products: Mapping[str, Product]
    checkpoints: Checkpoints


@dataclass(frozen=True)
class Stage:
    """One step of a run.

    Attributes:
        name: Names its folder.
        module: The module whose code, with all of attar that it imports, makes the product.
        inputs: Everything else that the product depends on, as JSON values.
        needs: Stages whose products it reads.
        work: Fills a folder and returns facts, as JSON values.
    """

    name: str
    module: str
    inputs: Mapping[str, Any]
    work: Callable[[Work], dict[str, Any]]
    needs: tuple[str, ...] = field(default=())


class Stages:
    """The stages of a run, in order, and their products in one folder.

    Args:
        root: The folder; made when the first product is.
        stages: Each after those it needs.
        checkpoint_seconds: Least time between two checkpoints of unfinished work.
    """

    def __init__(self, root: Path, stages: Iterable[Stage], *, checkpoint_seconds: float = 120.0) -> None:
        self.root = root
        self.products: dict[str, Product] = {}
        self.keys: dict[str, str] = {}
        self._stages = {stage.name: stage for stage in stages}
        self._checkpoint_seconds = checkpoint_seconds
        for stage in self._stages.values():
            self.keys[stage.name] = self._key(stage)

    @property
    def names(self) -> list[str]:
        """The stages in order."""
        return list(self._stages)

    def found(self, name: str) -> Product | None:
        """The product that is there, whole, and under today's key."""
        folder = self.root / name
        try:
            known: dict[str, Any] = read_json(folder / _FILE)
        except (OSError, ValueError):
            return None
        if known.get("key") != self.keys[name] or not _is_whole(folder, known["files"]):
            return None
        held = known.get("peak_memory", 0)  # not in those of earlier versions
        return Product(folder, known["key"], known["facts"], known["files"], known["seconds"], True, held)

    def missing(self, name: str) -> str | None:
        """Why a stage's product has to be made; None where it is there."""
        if self.found(name) is not None:
            return None
        try:
            known = read_json(self.root / name / _FILE)
        except (OSError, ValueError):
            why = "not made yet"
        else:
            changed = known.get("key") != self.keys[name]
            why = self._changed(name) if changed else "a file of it is missing or cut short"
        return f"{why}; goes on from a checkpoint" if self._unfinished(name).is_dir() else why

    def make(self, name: str) -> Product:
        """The product of a stage: the one that is there if its key is the same, else a new one.

        Raises:
            OutOfSpace: The disk is full; what is finished, and the last checkpoint, are kept.
        """
        product = self.found(name) or self._make_anew(self._stages[name])
        self.products[name] = product
        return product

    def forget(self, name: str) -> None:
        """Drop a stage's product, so that it is made anew."""
        shutil.rmtree(self.root / name, ignore_errors=True)

    def sweep(self) -> None:
        """Remove what killed runs left half written. Only for who holds the run's lock."""
        sweep(self.root)
        unfinished = self.root / _UNFINISHED
        wanted = {self._unfinished(name) for name in self.names}
        for path in unfinished.iterdir() if unfinished.is_dir() else ():
            if path not in wanted:
                shutil.rmtree(path)

    def _key(self, stage: Stage) -> str:
        needed = {name: self.keys[name] for name in stage.needs}
        code = code_hash(stage.module)
        return sha256_text(
            json.dumps(
                {"stage": stage.name, "code": code, "needs": needed, "inputs": dict(stage.inputs)}, sort_keys=True
            )
        )

    def _changed(self, name: str) -> str:
        """What a stage's key differs by, as far as keys tell."""
        anew = [need for need in self._stages[name].needs if self.found(need) is None]
        return f"{' and '.join(anew)} made anew" if anew else "its settings, data or code changed"

    def _unfinished(self, name: str) -> Path:
        return self.root / _UNFINISHED / f"{name}-{self.keys[name][:16]}"

    def _make_anew(self, stage: Stage) -> Product:
        say(f"── {stage.name}")
        folder, started = self.root / stage.name, time.monotonic()
        unfinished = self._unfinished(stage.name)
        checkpoints = Checkpoints(unfinished, self._checkpoint_seconds)
        needed = {name: self.products[name] for name in stage.needs}
        told = memory.reset_peak()
        try:
            with staged_folder(folder, marker=_FILE) as staged:
                facts = stage.work(Work(staged, needed, checkpoints))
                files = _listed(staged)
                seconds = round(checkpoints.earlier_seconds + time.monotonic() - started, 3)
                held = memory.peak() if told else 0
                known = {"key": self.keys[stage.name], "seconds": seconds, "peak_memory": held}
                write_json(staged / _FILE, known | {"facts": facts, "files": files})
        except OSError as error:
            if error.errno not in _NO_SPACE:
                raise
            raise _out_of_space(self.root, error) from error
        shutil.rmtree(unfinished, ignore_errors=True)
        return_free_memory()  # or the next stage's peak has it, too
        return Product(folder, self.keys[stage.name], facts, files, seconds, cached=False, peak_memory=held)


def _listed(folder: Path) -> dict[str, dict[str, Any]]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): {"size": path.stat().st_size, "sha256": sha256_file(path)} for path in files}


def _is_whole(folder: Path, files: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether every file is there in its size. Their hashes are checked where a bundle is opened."""
    return all(
        (folder / name).is_file() and (folder / name).stat().st_size == known["size"] for name, known in files.items()
    )


def _out_of_space(root: Path, error: OSError) -> OutOfSpace:
    free = shutil.disk_usage(root).free / 1e9
    return OutOfSpace(
        "There is no room to write.",
        where=error.filename or root,
        why=f"{error.strerror}; {free:.1f} GB are free.",
        next_step="Make room and run the same command again: it goes on where it stopped.",
    )
