"""Files that are either whole or not there: hashes, atomic writes, staged folders, locks.

Hands on digests and a way to write that a crash can't leave half done. What is being written has a name that
ends in ``.part``; after a crash, ``sweep`` removes it. Does not know what is in the files.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import Refused

__all__ = [
    "locked",
    "read_json",
    "replaced_file",
    "require_replaceable",
    "sha256_file",
    "sha256_text",
    "staged_folder",
    "sweep",
    "write_atomic",
    "write_json",
]

_BLOCK_BYTES = 1 << 20
_PART = ".part"
_LOCK = ".lock"
_EXCHANGE = 2  # RENAME_EXCHANGE of renameat2(2)
_AT_FDCWD = -100


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


@contextmanager
def replaced_file(path: Path) -> Iterator[Path]:
    """A file beside ``path`` to write; it is flushed to disk and takes the path's place when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=_PART)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        _sync(temporary)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync(path.parent)


def write_atomic(path: Path, content: str | bytes) -> None:
    """Write beside the target, flush to disk, then rename over it."""
    with replaced_file(path) as temporary:
        temporary.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)


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
    staged = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.", suffix=_PART))
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


def sweep(folder: Path) -> None:
    """Remove what a crash left half written in a folder. Only for who alone writes there."""
    for path in folder.glob(f".*{_PART}"):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder alone; the lock ends with the process, however it ends.

    Raises:
        Refused: Another process holds it.
    """
    import fcntl  # Unix only; the runtime, which never locks, must import elsewhere too

    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open("a+", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            stream.seek(0)
            raise Refused(
                "Another process works in this folder.",
                where=folder,
                why=stream.read().strip() or None,
                next_step="Wait until it has ended, or stop it; or choose another name for this run.",
            ) from error
        stream.truncate(0)
        since = time.strftime("%Y-%m-%d %H:%M:%S")
        stream.write(f"Process {os.getpid()} ({Path(sys.argv[0]).name}) on {socket.gethostname()} since {since}.")
        stream.flush()
        yield


def _swap(staged: Path, target: Path) -> None:
    """Put the staged folder in the target's place, so that at no instant neither is there."""
    if not target.exists():
        staged.replace(target)
    elif _exchanged(staged, target):
        shutil.rmtree(staged, ignore_errors=True)
    else:
        old = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.old.", suffix=_PART))
        target.replace(old / target.name)
        staged.replace(target)
        shutil.rmtree(old, ignore_errors=True)
    _sync(target.parent)


def _exchanged(one: Path, other: Path) -> bool:
    """Exchange two paths in one step, where the system can (Linux, most of its file systems)."""
    try:
        exchange = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return False
    done: int = exchange(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _EXCHANGE)
    return done == 0


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
