"""How many threads this process may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from attar.runtime.engine.threads import available_threads

CORES = len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("quota", "expected"),
    [
        ("max 100000", CORES),
        ("100000 100000", 1),
        ("50000 100000", 1),
        ("99900000 100000", CORES),
        ("nonsense", CORES),
    ],
)
def test_a_container_limit_is_seen(tmp_path: Path, quota: str, expected: int) -> None:
    (tmp_path / "cpu.max").write_text(quota)
    assert available_threads(tmp_path) == expected


def test_without_a_cgroup_the_affinity_counts(tmp_path: Path) -> None:
    assert available_threads(tmp_path) == CORES
