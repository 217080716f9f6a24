"""Stages: a step of a run whose product is kept under the hash of all that went in.

A product is a folder that is written beside its place and moved in when whole, with ``stage.json`` inside.
Does not know what a stage does.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from attar.runtime.files import read_json, sha256_text, staged_folder, write_json

from .progress import say

__all__ = ["Product", "Stages"]

_FILE = "stage.json"


@dataclass(frozen=True)
class Product:
    """What a stage made.

    Attributes:
        path: Its folder.
        key: Hash of everything that went in.
        facts: What the stage found out.
        seconds: How long it took when it was made.
        cached: Whether it was there already.
    """

    path: Path
    key: str
    facts: dict[str, Any]
    seconds: float
    cached: bool


class Stages:
    """The products of a run, in one folder.

    Args:
        root: The folder; made when the first product is.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.products: dict[str, Product] = {}

    def make(self, name: str, inputs: Mapping[str, Any], work: Callable[[Path], dict[str, Any]]) -> Product:
        """The product of a stage: the one that is there if its key is the same, else a new one.

        Args:
            name: The stage.
            inputs: Everything its product depends on, as JSON values.
            work: Fills the folder it is given and returns facts.
        """
        key = sha256_text(json.dumps({"attar": version("attar"), "stage": name, **inputs}, sort_keys=True))
        folder = self.root / name
        product = _found(folder, key)
        if product is None:
            say(f"── {name}")
            started = time.monotonic()
            with staged_folder(folder, marker=_FILE) as staged:
                facts = work(staged)
                seconds = round(time.monotonic() - started, 3)
                write_json(staged / _FILE, {"key": key, "seconds": seconds, "facts": facts})
            product = Product(folder, key, facts, seconds, cached=False)
        self.products[name] = product
        return product

    def forget(self, name: str) -> None:
        """Drop a stage's product, so that it is made anew."""
        shutil.rmtree(self.root / name, ignore_errors=True)


def _found(folder: Path, key: str) -> Product | None:
    try:
        known: dict[str, Any] = read_json(folder / _FILE)
    except (OSError, ValueError):
        return None
    if known.get("key") != key:
        return None
    return Product(folder, key, known["facts"], known["seconds"], cached=True)
