"""What is wrong here: versions, machine, a bundle; each fault with its fix.

A new examination is one file that yields findings and one line in :func:`examine`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .bundles import examine_bundle
from .finding import Finding, as_gigabytes
from .machine import examine_machine
from .versions import examine_versions

__all__ = ["Finding", "as_gigabytes", "examine", "examine_bundle", "examine_machine", "examine_versions"]


def examine(runs: Path) -> Iterator[Finding]:
    """Everything but a bundle."""
    yield from examine_versions()
    yield from examine_machine(runs)
