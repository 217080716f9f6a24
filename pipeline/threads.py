"""How torch's threads wait for each other on a machine that does other things too.

Does not know torch; has to be called before it is imported.
"""

from __future__ import annotations

import os

__all__ = ["yield_to_others"]

_SPINS = "10000"


def yield_to_others() -> None:
    """Let OpenMP's threads sleep soon after they run out of work; what the user set stays.

    By default GNU's OpenMP spins for milliseconds. With one other busy program on two cores a training step then took
    seven times as long; with this a little over twice, and on an idle machine a twentieth more (benchmarks/LOG.md).
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", _SPINS)
