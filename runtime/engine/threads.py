"""How many threads this process may really use.

onnxruntime sizes its pool by the host's cores and does not see a container's limit.
"""

from __future__ import annotations

import math
import os
from pathlib import Path

__all__ = ["available_threads"]


def available_threads(cgroup: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """Cores that the affinity mask and the cgroup's CPU quota leave, at least 1."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = cgroup.read_text().split()
    except (OSError, ValueError):
        return cores
    return cores if quota == "max" else max(1, min(cores, math.ceil(int(quota) / int(period))))
