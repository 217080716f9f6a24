"""The machine: what its CPU can do, and how many threads, how much memory and disk are left to this process.

Does not know libraries or bundles.
"""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..limits import affinity, available_threads, cpu_quota, existing, free_disk, memory
from ..processor import CPUINFO, read_processor
from .finding import Finding, as_gigabytes

__all__ = ["examine_machine"]

_FEATURES = {
    "flags": ("avx2", "avx_vnni", "avx512_vnni", "avx512_bf16", "amx_int8", "amx_bf16"),
    "Features": ("asimddp", "i8mm", "bf16", "sve"),
}
"""What onnxruntime and torch use, by the line of /proc/cpuinfo: of x86, of ARM."""
_INT8 = frozenset({"avx_vnni", "avx512_vnni", "amx_int8", "asimddp", "i8mm"})
_BUNDLE_MEMORY = 512_000_000
"""An application with the quickstart's bundle peaks at 367 MB (README)."""
_LITTLE_DISK = 256_000_000
_RUN_DISK = 2_000_000_000
"""A quickstart run keeps 1.1 GB and for a while has some 0.7 GB more; `attar plan` counts a config's own."""


def examine_machine(
    runs: Path, *, environment: Mapping[str, str] = os.environ, cpuinfo: Path = CPUINFO
) -> Iterator[Finding]:
    """CPU, threads, memory, disk, and the variables that change how models are found."""
    yield _cpu(cpuinfo)
    yield _threads()
    yield from _omp_threads(environment, available_threads())
    yield _memory()
    yield _disk("disk for runs", runs)
    yield _disk("disk for temporary files", Path(tempfile.gettempdir()))
    yield _hub(environment)


def _cpu(cpuinfo: Path) -> Finding:
    processor = read_processor(cpuinfo)
    if processor.kind is None:
        return Finding("cpu", "note", f"{platform.machine()}; this system does not tell its features")
    there = [name for name in _FEATURES[processor.kind] if name in processor.features]
    missing = [name for name in _FEATURES[processor.kind] if name not in processor.features]
    found = f"{processor.name or platform.machine()}: {', '.join(there) or 'none of the features that help'}"
    found += f"; without {', '.join(missing)}" if missing else ""
    if processor.missing:
        needed = f"{found}; and without {', '.join(processor.missing)}, which attar can't do without"
        return Finding("cpu", "fault", needed, "In a virtual machine, pass the host's processor on (QEMU: -cpu host).")
    if not processor.features & _INT8:
        return Finding("cpu", "note", found, "int8 gains little here; compare export.quantize none and int8.")
    return Finding("cpu", "ok", found)


def _threads() -> Finding:
    cores, mask, quota, usable = os.cpu_count() or 1, affinity(), cpu_quota(), available_threads()
    limit = "no quota" if quota is None else f"a quota of {quota:g}"
    found = f"{usable} usable: {cores} cores, {mask} in the affinity mask, {limit}"
    if usable == cores:
        return Finding("threads", "ok", found)
    return Finding("threads", "note", found, "Raise the container's CPU limit or the mask if it may have more.")


def _omp_threads(environment: Mapping[str, str], usable: int) -> Iterator[Finding]:
    value = environment.get("OMP_NUM_THREADS")
    if value is None:
        return
    fix = f"Run: export OMP_NUM_THREADS={usable}"
    first = value.split(",")[0].strip()
    if not first.isdecimal() or int(first) < 1:
        yield Finding("OMP_NUM_THREADS", "fault", f"{value!r} is no number of threads", fix)
    elif int(first) > usable:
        yield Finding("OMP_NUM_THREADS", "fault", f"{first} threads for {usable} usable cores: they wait in turn", fix)
    elif int(first) < usable:
        yield Finding("OMP_NUM_THREADS", "note", f"{first} of {usable} usable cores: training uses no more", fix)
    else:
        yield Finding("OMP_NUM_THREADS", "ok", first)


def _memory() -> Finding:
    found = memory()
    if found is None:
        return Finding("memory", "note", "this system does not tell")
    limit = "no limit set" if found.limit is None else f"limited to {as_gigabytes(found.limit)}"
    text = f"{as_gigabytes(found.free)} free of {as_gigabytes(found.total)}, {limit}"
    if found.free < _BUNDLE_MEMORY:
        return Finding("memory", "fault", text, "End other programs, or raise the container's memory limit.")
    return Finding("memory", "ok", text)


def _disk(subject: str, path: Path) -> Finding:
    place, free = existing(path), free_disk(path)
    text = f"{as_gigabytes(free)} free at {place}"
    if not os.access(place, os.W_OK):
        return Finding(subject, "fault", f"{place} can't be written", "Choose another folder or mend its permissions.")
    if free < _LITTLE_DISK:
        return Finding(subject, "fault", text, "Remove what is not needed there, or choose another disk.")
    if free < _RUN_DISK:
        return Finding(subject, "note", text, "See what a run needs with: attar plan CONFIG")
    return Finding(subject, "ok", text)


def _hub(environment: Mapping[str, str]) -> Finding:
    offline = [name for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE") if _is_on(environment.get(name, ""))]
    if offline:
        names = " and ".join(offline)
        return Finding("model hub", "note", f"{names} set: models come from this disk only", f"unset {names} to fetch.")
    return Finding("model hub", "ok", "models with a hub name may be fetched")


def _is_on(value: str) -> bool:
    return value.strip().lower() in {"1", "on", "yes", "true"}
