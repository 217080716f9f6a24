"""How many threads this process may really use.

onnxruntime sizes its pool by the host's cores and does not see a container's limit.
"""

from __future__ import annotations

import math
from pathlib import Path

from ..limits import CGROUPS, affinity, cpu_quota

__all__ = ["available_threads"]


def available_threads(cgroups: Path = CGROUPS) -> int:
    """Cores that the affinity mask and the control groups' CPU quota leave, at least 1."""
    quota = cpu_quota(cgroups)
    return affinity() if quota is None else max(1, min(affinity(), math.ceil(quota)))
