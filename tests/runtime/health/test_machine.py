"""What of the machine is worth saying, and what is a fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from attar.runtime.health import Finding, examine_machine
from attar.runtime.limits import available_threads

V2 = "flags : fpu ssse3 sse4_1 sse4_2 popcnt"
"""x86-64-v2, without which numpy does not start."""


def look(folder: Path, subject: str, cpuinfo: str = "", **environment: str) -> Finding:
    (folder / "cpuinfo").write_text(cpuinfo)
    found = examine_machine(folder / "runs", environment=environment, cpuinfo=folder / "cpuinfo")
    return next(finding for finding in found if finding.subject == subject)


@pytest.mark.parametrize(
    ("cpuinfo", "status", "words"),
    [
        (f"model name : Xeon\n{V2} avx2 avx512_vnni\n", "ok", "Xeon: avx2, avx512_vnni; without avx_vnni"),
        (f"{V2} avx2\n", "note", "avx2; without"),
        (f"{V2}\n", "note", "none of the features"),
        ("flags : fpu sse2 ssse3\n", "fault", "without sse4_1, sse4_2, popcnt, which attar can't do without"),
        ("Features : fp asimd asimddp i8mm bf16\n", "ok", "asimddp, i8mm, bf16; without sve"),
        ("", "note", "does not tell"),
    ],
)
def test_cpu_features_that_int8_needs_are_looked_for(tmp_path: Path, cpuinfo: str, status: str, words: str) -> None:
    found = look(tmp_path, "cpu", cpuinfo)
    assert found.status == status
    assert words in found.found


@pytest.mark.parametrize(
    ("value", "status"),
    [(str(available_threads()), "ok"), ("10000", "fault"), ("0", "fault"), ("two", "fault"), ("", "fault")],
)
def test_threads_for_torch_are_compared_with_the_cores_that_are_left(tmp_path: Path, value: str, status: str) -> None:
    found = look(tmp_path, "OMP_NUM_THREADS", OMP_NUM_THREADS=value)
    assert found.status == status
    assert found.fix == (None if status == "ok" else f"Run: export OMP_NUM_THREADS={available_threads()}")


def test_an_offline_hub_is_said(tmp_path: Path) -> None:
    assert look(tmp_path, "model hub").status == "ok"
    assert look(tmp_path, "model hub", HF_HUB_OFFLINE="0").status == "ok"
    assert "HF_HUB_OFFLINE set" in look(tmp_path, "model hub", HF_HUB_OFFLINE="1").found


def test_every_fault_has_a_fix_and_a_runs_folder_need_not_be_there(tmp_path: Path) -> None:
    found = list(examine_machine(tmp_path / "not" / "yet", environment={"OMP_NUM_THREADS": "x"}))
    assert {"cpu", "threads", "memory", "disk for runs", "model hub"} <= {finding.subject for finding in found}
    assert all(finding.fix for finding in found if finding.status == "fault")
    assert not (tmp_path / "not").exists()
