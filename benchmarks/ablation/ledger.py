"""Finished cells, one JSON line each: appended whole, read back so that a run goes on where another was killed.

A line belongs to a recipe, the hash of all that its figures depend on besides the cell. Lines of other recipes stay in
the file, are counted, and are never compared with these. Does not know what a cell is.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attar.runtime.errors import DataError

__all__ = ["Ledger"]


class Ledger:
    """The lines of one recipe in a file.

    Args:
        file: It need not be there yet.
        recipe: Stands in every line, as ``recipe``.

    Attributes:
        lines: Those of this recipe, in the order in which they were appended.
        others: How many there are of other recipes.

    Raises:
        DataError: A line that ends is not a JSON object.
    """

    def __init__(self, file: Path, recipe: str) -> None:
        known = _read(file)
        self.file = file
        self.lines = [line for line in known if line.get("recipe") == recipe]
        self.others = len(known) - len(self.lines)
        self._recipe = recipe

    @property
    def finished(self) -> list[dict[str, Any]]:
        """The lines of this recipe that have figures: those that have not say why, as ``failed``."""
        return [line for line in self.lines if "failed" not in line]

    def append(self, values: Mapping[str, Any]) -> None:
        """Put a line at the end, in one write, flushed to disk; one that a crash cut short is taken away first."""
        line = {"recipe": self._recipe, **values}
        self.file.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.file, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            whole = self.file.read_bytes().rfind(b"\n") + 1
            os.ftruncate(handle, whole)
            os.lseek(handle, whole, os.SEEK_SET)
            os.write(handle, json.dumps(line, ensure_ascii=False).encode("utf-8") + b"\n")
            os.fsync(handle)
        finally:
            os.close(handle)
        self.lines.append(line)


def _read(file: Path) -> list[dict[str, Any]]:
    if not file.is_file():
        return []
    found = []
    whole, _, _ = file.read_bytes().rpartition(b"\n")  # what follows the last end was cut short
    for number, line in enumerate(whole.split(b"\n") if whole else (), start=1):
        try:
            value = json.loads(line)
            if not isinstance(value, dict):
                raise ValueError(f"expected an object, found {type(value).__name__}")
        except ValueError as error:
            raise DataError(
                "A line of the results can't be read.",
                where=f"{file}, line {number}",
                why=str(error),
                next_step="Remove that line, and its cell is trained anew; or give another file with --out.",
            ) from error
        found.append(value)
    return found
