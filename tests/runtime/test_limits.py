"""What control groups of either version leave to a process."""

from __future__ import annotations

from pathlib import Path

import pytest

from attar.runtime.limits import affinity, available_threads, cpu_quota, existing, free_disk, memory

MB = 1 << 20


def system(folder: Path, membership: str, files: dict[str, str]) -> tuple[Path, Path]:
    """A made-up /sys/fs/cgroup and /proc/self/cgroup."""
    for name, text in files.items():
        path = folder / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "membership").write_text(membership)
    return folder / "cgroup", folder / "membership"


@pytest.mark.parametrize(
    ("membership", "files", "expected"),
    [
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 1.5),
        ("0::/\n", {"cpu.max": "max 100000\n"}, None),
        ("0::/a/b\n", {"a/b/cpu.max": "max 100000\n", "a/cpu.max": "300000 100000\n"}, 3.0),
        ("0::/docker/of/the/host\n", {"cpu.max": "200000 100000\n"}, 2.0),
        ("3:cpu,cpuacct:/x\n", {"cpu/x/cpu.cfs_quota_us": "50000\n", "cpu/x/cpu.cfs_period_us": "100000\n"}, 0.5),
        ("3:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ("4:memory:/\n", {"cpu/cpu.cfs_quota_us": "50000\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ("nonsense", {"cpu.max": "nonsense"}, None),
        ("0::/\n", {"cpu.max": "100000 0\n"}, None),
    ],
)
def test_the_tightest_cpu_quota_counts(
    tmp_path: Path, membership: str, files: dict[str, str], expected: float | None
) -> None:
    assert cpu_quota(*system(tmp_path, membership, files)) == expected


@pytest.mark.parametrize(
    ("membership", "files", "limit", "free"),
    [
        ("0::/\n", {"memory.max": "max\n"}, None, 8000),
        ("0::/\n", {"memory.max": f"{1000 * MB}", "memory.current": f"{400 * MB}"}, 1000, 600),
        (
            "0::/a\n",
            {"a/memory.max": f"{2000 * MB}", "memory.max": f"{1000 * MB}", "memory.current": f"{990 * MB}"},
            1000,
            10,
        ),
        (
            "4:memory:/x\n",
            {
                "memory/x/memory.limit_in_bytes": f"{1000 * MB}",
                "memory/x/memory.usage_in_bytes": f"{900 * MB}",
                "memory/x/memory.stat": f"inactive_file 1\ntotal_inactive_file {500 * MB}\n",
            },
            1000,
            600,
        ),
        ("4:memory:/\n", {"memory/memory.limit_in_bytes": "9223372036854771712"}, None, 8000),
    ],
)
def test_free_memory_is_what_the_group_still_may_take_with_its_caches(
    tmp_path: Path, membership: str, files: dict[str, str], limit: int | None, free: int
) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text(f"MemTotal: {16000 * 1024} kB\nMemFree: 1 kB\nMemAvailable: {8000 * 1024} kB\n")
    found = memory(*system(tmp_path, membership, files), meminfo)
    assert found is not None
    assert (found.total, found.free) == (16000 * MB, free * MB)
    assert found.limit == (None if limit is None else limit * MB)


def test_a_system_that_does_not_tell_its_memory_is_no_error(tmp_path: Path) -> None:
    assert memory(meminfo=tmp_path / "none") is None


def test_disk_is_that_of_the_nearest_folder_that_is_there(tmp_path: Path) -> None:
    assert existing(tmp_path / "not" / "yet") == tmp_path
    assert free_disk(tmp_path / "not" / "yet") > 0


@pytest.mark.parametrize(
    ("quota", "expected"),
    [
        ("max 100000", affinity()),
        ("100000 100000", 1),
        ("50000 100000", 1),
        ("99900000 100000", affinity()),
        ("nonsense", affinity()),
    ],
)
def test_a_container_limit_is_seen(tmp_path: Path, quota: str, expected: int) -> None:
    (tmp_path / "cpu.max").write_text(quota)
    assert available_threads(tmp_path) == expected


def test_without_a_cgroup_the_affinity_counts(tmp_path: Path) -> None:
    assert available_threads(tmp_path) == affinity()
