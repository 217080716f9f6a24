"""Files as text: in which encoding, and bytes that do not belong to it kept to be seen.

UTF-8, UTF-16 and UTF-32 are told by their marks, UTF-8 without one by being valid; what has no valid UTF-8 in it
beside ASCII is read as Windows-1252. Bytes that are not of the encoding come as lone surrogates (PEP 383), so that
:mod:`.gathering` can leave out the rows that hold them, by line. Does not know rows.
"""

from __future__ import annotations

import codecs
import io
from pathlib import Path
from typing import TextIO

from attar.runtime.errors import DataError, UsageError

from .compression import opened

__all__ = ["opened_text"]

_BLOCK_BYTES = 1 << 20
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark its own begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_FEW_ZEROS = 0.1
"""Share of zero bytes that a text may hold; in UTF-16 every second byte of a European text is one."""


def opened_text(path: Path, encoding: str | None = None, *, newline: str = "") -> TextIO:
    """The file as text, line ends as they are.

    Args:
        path: A file, compressed or not.
        encoding: Its encoding, where the guess should not do.
        newline: What alone ends a line, or "" for all that :class:`io.TextIOWrapper` takes for an end.

    Raises:
        UsageError: There is no such encoding.
        DataError: The encoding can't be told.
        UnicodeDecodeError: While reading, where a guess was wrong.
    """
    chosen = _known(encoding) if encoding else _encoding_of(path)
    # Of a guess nothing may be left over: where Windows-1252 has no letter, the guess was wrong.
    escaped = encoding is not None or chosen.startswith("utf-8")
    errors = "surrogateescape" if escaped else "strict"
    return io.TextIOWrapper(opened(path), chosen, errors, newline=newline)


def _known(encoding: str) -> str:
    try:
        return "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding
    except LookupError:
        raise UsageError(
            f"There is no encoding {encoding!r}.", next_step='Give one such as "utf-8", "cp1252" or "latin-1".'
        ) from None


def _encoding_of(path: Path) -> str:
    with opened(path) as stream:
        head = stream.read(_BLOCK_BYTES)
    for mark, name in _MARKS.items():
        if head.startswith(mark):
            return name
    if head.count(0) > len(head) * _FEW_ZEROS:
        raise DataError(
            "The file is not text in an encoding that can be told.",
            where=path,
            why="It is full of zero bytes, as UTF-16 without a mark is, and files that are no text.",
            next_step='Save it in UTF-8, or give its encoding, such as "utf-16-le".',
        )
    return "utf-8" if _is_utf8(path) or _has_utf8(path) else "cp1252"


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with opened(path) as stream:
            while block := stream.read(_BLOCK_BYTES):
                decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _has_utf8(path: Path) -> bool:
    """Whether any line beyond ASCII is valid UTF-8, which text in another encoding hardly ever is."""
    with opened(path) as stream:
        for line in stream:
            if not line.isascii():
                try:
                    line.decode("utf-8")
                except UnicodeDecodeError:
                    continue
                return True
    return False
