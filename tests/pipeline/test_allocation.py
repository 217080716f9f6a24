"""Freed memory goes back to the system, whatever sizes came before."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy
import pytest

from attar.pipeline.allocation import lend, return_large_blocks
from attar.pipeline.measurement.memory import shares

GROWTH = """
import random, sys
import numpy
from attar.pipeline.allocation import return_large_blocks
from attar.pipeline.measurement.memory import resident

if sys.argv[1] == "returned":
    return_large_blocks()
chance, small = random.Random(0), []
numpy.ones(6 << 20)  # 48 MB: freed, it raises the size from which glibc gives blocks back
before = resident()
for _ in range(60):
    large = [numpy.ones(chance.randrange(1 << 18, 1 << 21)) for _ in range(24)]  # 2 to 16 MB each
    small.append(numpy.ones(chance.randrange(1 << 12, 1 << 13)))  # what is kept between them
    del large
print(resident() - before)
"""


@pytest.mark.skipif(not return_large_blocks(), reason="not glibc")
def test_blocks_of_ever_other_sizes_leave_nothing_behind() -> None:
    done = subprocess.run([sys.executable, "-c", GROWTH, "returned"], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 60 * (1 << 16) + (16 << 20)


FREED = """
from attar.pipeline.allocation import return_free_memory
from attar.pipeline.measurement.memory import resident

small = [bytearray(1 << 14) for _ in range(1 << 13)]  # 128 MB in the heap, whose top stays in use
last = bytearray(1 << 14)
del small
freed = resident()
return_free_memory()
print(freed - resident())
"""


@pytest.mark.skipif(not return_large_blocks(), reason="not glibc")
def test_what_was_left_free_below_something_in_use_goes_back() -> None:
    done = subprocess.run([sys.executable, "-c", FREED], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 96 << 20


def test_lent_pages_of_a_file_are_not_resident_until_they_are_read(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(bytes(range(256)) * (1 << 17))  # 32 MB
    mapped = numpy.memmap(tmp_path / "f", mode="r")
    total = int(mapped.sum(dtype=numpy.int64))
    before, told = shares()["file"], lend(mapped.ctypes.data, mapped.nbytes)
    assert told == (sys.platform == "linux")
    assert before - shares()["file"] > 24 << 20 or not told
    assert int(mapped.sum(dtype=numpy.int64)) == total


def test_lending_what_is_in_no_file_loses_nothing() -> None:
    values = numpy.arange(1 << 20)
    lend(values.ctypes.data, values.nbytes)
    assert (values == numpy.arange(1 << 20)).all()


def test_less_than_a_page_is_not_lent() -> None:
    assert not lend(numpy.ones(4).ctypes.data, 32)


@pytest.mark.skipif(not return_large_blocks(), reason="not glibc")
@pytest.mark.parametrize(
    ("name", "value", "is_told"),
    [
        ("MALLOC_MMAP_THRESHOLD_", "4194304", False),
        ("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=4194304", False),
        ("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1", True),
    ],
)
def test_a_size_that_the_environment_names_stays(
    name: str, value: str, is_told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert return_large_blocks() is is_told
