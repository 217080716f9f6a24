"""A processor without what is needed is named, before anything is loaded that would fail on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from attar.runtime.engine.session import load_session, sums_exactly
from attar.runtime.errors import MachineError
from attar.runtime.processor import Processor, read_processor, require_instructions

OLD = """processor\t: 0
model name\t: Common KVM processor
flags\t\t: fpu sse sse2 cx16 ssse3

processor\t: 1
model name\t: Common KVM processor
flags\t\t: fpu sse sse2 cx16 ssse3
"""
XEON = OLD.replace("cx16 ssse3", "cx16 ssse3 sse4_1 sse4_2 popcnt avx2 avx512_vnni")
ARM = "processor : 0\nFeatures : fp asimd asimddp i8mm\nCPU implementer : 0x41\n"


def written(folder: Path, text: str) -> Path:
    (folder / "cpuinfo").write_text(text)
    return folder / "cpuinfo"


def test_what_is_missing_is_named_with_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="sse4_1, sse4_2, popcnt") as caught:
        require_instructions(written(tmp_path, OLD))
    assert caught.value.where == "Common KVM processor"
    assert "-cpu host" in (caught.value.next_step or "")
    assert caught.value.exit_code == 1


@pytest.mark.parametrize("text", [XEON, ARM, "", "processor : 0\ncpu : POWER9\n"])
def test_one_that_has_it_or_does_not_tell_is_taken(tmp_path: Path, text: str) -> None:
    require_instructions(written(tmp_path, text))
    assert Processor(text).missing == []


def test_where_the_system_says_nothing_nothing_is_refused(tmp_path: Path) -> None:
    require_instructions(tmp_path / "none")
    (tmp_path / "bytes").write_bytes(b"flags : \xff\xfe")
    assert read_processor(tmp_path / "bytes").kind is None


def test_arm_is_asked_for_its_own(tmp_path: Path) -> None:
    assert Processor(ARM.replace("asimd asimddp", "")).missing == ["asimd"]


def test_it_is_named_before_the_graph_is_looked_at(tmp_path: Path) -> None:
    with pytest.raises(MachineError):
        load_session(tmp_path / "none.onnx", threads=1, cpuinfo=written(tmp_path, OLD))


def test_a_graph_is_loaded_where_it_is_there(bundle_folder: Path, tmp_path: Path) -> None:
    session = load_session(bundle_folder / "model.onnx", threads=1, cpuinfo=written(tmp_path, XEON))
    assert "input_ids" in {value.name for value in session.get_inputs()}


def test_sums_are_exact_with_vnni_only() -> None:
    assert sums_exactly(Processor(XEON))
    assert not sums_exactly(Processor(OLD))
    assert not sums_exactly(Processor(""))
