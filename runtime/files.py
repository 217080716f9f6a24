"""Files that are either whole or not there: hashes, atomic writes, staged folders.

Hands on digests and a way to write that a crash can't leave half done.
Does not know what is in the files.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import Refused

__all__ = [
    "read_json",
    "require_replaceable",
    "sha256_file",
    "sha256_text",
    "staged_folder",
    "write_atomic",
    "write_json",
]

_BLOCK_BYTES = 1 << 20


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes, as 64 hex digits."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def sha256_text(text: str) -> str:
    """SHA-256 of a text in UTF-8, as 64 hex digits."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def write_atomic(path: Path, content: str | bytes) -> None:
    """Write beside the target, flush to disk, then rename over it."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync(path.parent)


def write_json(path: Path, value: object) -> None:
    """Write a value as indented JSON, atomically."""
    write_atomic(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> dict[str, object]:
    """Read one JSON object.

    Raises:
        OSError: The file can't be read.
        ValueError: It is not a JSON object.
    """
    value = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(value, dict):
        raise ValueError(f"expected a JSON object, found {type(value).__name__}")
    return value


@contextmanager
def staged_folder(target: Path, *, marker: str) -> Iterator[Path]:
    """A folder beside ``target`` to fill; it takes the target's place when the block ends well.

    An older folder of that name is replaced only then. When the block raises, the staged
    folder is removed and whatever stood at ``target`` is untouched.

    Args:
        target: Where the folder goes.
        marker: A file by which an older folder of this kind is known.

    Raises:
        Refused: Something else stands at ``target``.
    """
    require_replaceable(target, marker)
    target.parent.mkdir(parents=True, exist_ok=True)
    staged = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    try:
        yield staged
        staged.chmod(0o755)
        for path in sorted(staged.rglob("*")):
            _sync(path)
        _sync(staged)
        _swap(staged, target)
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        raise


def require_replaceable(target: Path, marker: str) -> None:
    """Check that nothing stands at ``target``, or an empty folder, or one that holds ``marker``.

    Raises:
        Refused: Replacing it would lose something that is not attar's.
    """
    if not target.exists() or (target / marker).is_file() or (target.is_dir() and not any(target.iterdir())):
        return
    raise Refused(
        "Something else stands where the result should go.",
        where=target,
        why=f"It has no {marker}, so it is not an older result.",
        next_step="Choose another place, or remove it yourself.",
    )


def _swap(staged: Path, target: Path) -> None:
    if target.exists():
        old = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.old."))
        target.replace(old / target.name)
        staged.replace(target)
        shutil.rmtree(old, ignore_errors=True)
    else:
        staged.replace(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
