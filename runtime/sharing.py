"""One loaded bundle for everybody who uses it, as long as the bundle is not replaced. Does not know what is loaded."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from .bundle import MANIFEST_FILE

__all__ = ["Shared"]

Loaded = TypeVar("Loaded")


class Shared(Generic[Loaded]):
    """Loads a bundle once for each number of threads and each use. Safe for many threads.

    Args:
        load: Makes of a bundle's folder, a number of threads and a use, None for the defaults, what is shared.
    """

    def __init__(self, load: Callable[[Path, int | None, str | None], Loaded]) -> None:
        self._load = load
        self._loading = threading.Lock()
        self._known: dict[tuple[Path, int, int | None, str | None], Loaded] = {}

    def get(self, path: Path, threads: int | None, use: str | None = None) -> Loaded:
        """What is loaded of a bundle; one that was replaced is loaded anew."""
        path = path.resolve()
        manifest = path / MANIFEST_FILE
        stamp = manifest.stat().st_mtime_ns if manifest.is_file() else 0
        with self._loading:
            key = (path, stamp, threads, use)
            if key not in self._known:
                for old in [known for known in self._known if known[0] == path and known[1] != stamp]:
                    del self._known[old]
                self._known[key] = self._load(path, threads, use)
            return self._known[key]
