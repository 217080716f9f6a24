"""Files as the bytes they hold, compressed or not: gzip (``.gz``) and Zstandard (``.zst``) by the end of the name.

A file that was cut off is an error when its end is reached, never a shorter file. Does not know what the bytes are.
"""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import BinaryIO, cast

from attar.runtime.errors import MissingExtra

__all__ = ["COMPRESSED", "opened"]

COMPRESSED = (".gz", ".zst")
"""Ends of the names of compressed files."""

_BLOCK_BYTES = 1 << 16


def opened(path: Path) -> BinaryIO:
    """The bytes of a file, decompressed where its name says that it is compressed.

    Raises:
        OSError, EOFError, ValueError: While reading, where the file is broken or cut off.
        MissingExtra: There is no decompressor installed.
    """
    suffix = path.suffix.lower()
    if suffix == ".gz":
        return cast(BinaryIO, io.BufferedReader(gzip.GzipFile(path, "rb"), _BLOCK_BYTES))
    if suffix == ".zst":
        return io.BufferedReader(_Zstandard(path), _BLOCK_BYTES)
    return path.open("rb")


class _Zstandard(io.RawIOBase):
    """A Zstandard file of one or more frames; unlike the library's own reader it sees that the last one is cut off."""

    def __init__(self, path: Path) -> None:
        try:
            import zstandard
        except ModuleNotFoundError as error:
            raise MissingExtra(
                "A .zst file needs a package that is not installed.",
                where=path,
                why=f"There is no module {error.name!r}.",
                next_step="Run: pip install 'attar[pipeline]'",
            ) from None
        self._broken = zstandard.ZstdError
        self._new = zstandard.ZstdDecompressor(max_window_size=1 << 31).decompressobj
        self._frame = self._new()
        self._begun = False
        self._rest = b""  # of the file, after a frame
        self._plain = memoryview(b"")
        self._file = path.open("rb")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._plain:
            if not self._more():
                return 0
        count = min(len(buffer), len(self._plain))
        buffer[:count] = self._plain[:count]
        self._plain = self._plain[count:]
        return count

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()

    def _more(self) -> bool:
        """Decompress the next piece; false at the file's end."""
        piece = self._rest or self._file.read(_BLOCK_BYTES)
        if not piece:
            if self._begun:
                raise EOFError("the compressed file ends before its end was marked")
            return False
        try:
            self._plain = memoryview(self._frame.decompress(piece))
        except self._broken as error:
            raise ValueError(str(error)) from error
        self._begun = not self._frame.eof
        self._rest = b"" if self._begun else self._frame.unused_data
        if not self._begun:
            self._frame = self._new()
        return True
