"""What this process may use of the machine: cores, memory, disk, as affinity and control groups leave them.

Reads control groups of version 1 and 2, from the process's own group up to the root: the tightest limit
counts. Does not know what the figures are used for.
"""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["CGROUPS", "Memory", "affinity", "available_threads", "cpu_quota", "existing", "free_disk", "memory"]

CGROUPS = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")
_MEMINFO = Path("/proc/meminfo")
_NO_LIMIT = 1 << 60  # version 1 writes the largest multiple of a page for "none"


@dataclass(frozen=True)
class Memory:
    """Bytes of memory.

    Attributes:
        total: Of the machine.
        limit: Of the control group, where it has one.
        free: What can be taken without swapping or being killed; caches count as free.
    """

    total: int
    limit: int | None
    free: int


def affinity() -> int:
    """Cores that the affinity mask leaves."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def available_threads(root: Path = CGROUPS) -> int:
    """Cores that the affinity mask and the control groups' CPU quota leave, at least 1.

    onnxruntime sizes its pool by the host's cores and does not see a container's limit.
    """
    quota = cpu_quota(root)
    return affinity() if quota is None else max(1, min(affinity(), math.ceil(quota)))


def cpu_quota(root: Path = CGROUPS, membership: Path = _MEMBERSHIP) -> float | None:
    """Cores' worth of time that the control groups allow; None where they set no limit."""
    quotas = []
    for folder in _groups("cpu", root, membership):
        words = _read(folder / "cpu.max").split() or [
            _read(folder / "cpu.cfs_quota_us").strip(),
            _read(folder / "cpu.cfs_period_us").strip(),
        ]
        if len(words) == 2 and all(word.isdecimal() and int(word) for word in words):
            quotas.append(int(words[0]) / int(words[1]))
    return min(quotas, default=None)


def memory(root: Path = CGROUPS, membership: Path = _MEMBERSHIP, meminfo: Path = _MEMINFO) -> Memory | None:
    """Memory of the machine and of the control groups; None where the system does not say."""
    machine = _table(meminfo)
    try:
        total, free = machine["MemTotal"] * 1024, machine["MemAvailable"] * 1024
    except KeyError:
        return None
    limits = []
    for folder in _groups("memory", root, membership):
        limit = _number(folder / "memory.max", folder / "memory.limit_in_bytes")
        if limit is None or limit >= min(total, _NO_LIMIT):
            continue
        limits.append(limit)
        used = _number(folder / "memory.current", folder / "memory.usage_in_bytes") or 0
        statistics = _table(folder / "memory.stat")
        cache = statistics.get("total_inactive_file", statistics.get("inactive_file", 0))
        free = min(free, max(0, limit - used + cache))
    return Memory(total, min(limits, default=None), free)


def free_disk(path: Path) -> int:
    """Bytes that can be written at a path, which need not be there yet."""
    return shutil.disk_usage(existing(path)).free


def existing(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    path = path.absolute()
    return next(place for place in (path, *path.parents) if place.exists())


def _groups(controller: str, root: Path, membership: Path) -> Iterator[Path]:
    """Folders of the process's control groups for a controller, in either version, up to the root.

    A container often sees its own group as the root, though its membership names a path of the host.
    """
    for line in _read(membership).splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and controller not in controllers.split(","):
            continue
        for mount in (root / controller,) if controllers else (root, root / "unified"):
            group = mount / path.strip("/")
            while group != mount:
                yield group
                group = group.parent
            yield mount


def _number(*paths: Path) -> int | None:
    """The number in the first of these files that holds one."""
    return next((int(text) for path in paths if (text := _read(path).strip()).isdecimal()), None)


def _table(path: Path) -> dict[str, int]:
    """Lines of a name and a number."""
    rows = (line.replace(":", " ").split() for line in _read(path).splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) > 1 and row[1].isdecimal()}


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        return ""
