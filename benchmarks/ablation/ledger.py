"""Finished cells, one JSON line each: appended whole, read back so that a run goes on where another was killed.

A line belongs to a recipe: the hash of all settings and of the code that trains. Lines of other recipes stay in the
file and count for nothing here. Does not know what a cell is.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attar.runtime.errors import DataError

__all__ = ["append_line", "read_lines"]


def append_line(file: Path, value: Mapping[str, Any]) -> None:
    """Put one line at the end, in one write, flushed to disk; a line that a crash cut short is taken away first."""
    file.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(value, ensure_ascii=False).encode("utf-8") + b"\n"
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        known = os.read(handle, os.fstat(handle).st_size)
        whole = known.rfind(b"\n") + 1
        os.ftruncate(handle, whole)
        os.lseek(handle, whole, os.SEEK_SET)
        os.write(handle, line)
        os.fsync(handle)
    finally:
        os.close(handle)


def read_lines(file: Path) -> list[dict[str, Any]]:
    """All whole lines.

    Raises:
        DataError: A line that ends is not a JSON object.
    """
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
