"""What the processor says that it can do, and what attar's libraries can't do without.

Read from Linux's ``/proc/cpuinfo``; systems without it tell nothing, and nothing is refused there. Imports no library,
so that the processor is named before one of them meets an instruction that it does not have. Does not know graphs.
"""

from __future__ import annotations

from pathlib import Path

from .errors import MachineError

__all__ = ["CPUINFO", "Processor", "read_processor", "require_instructions"]

CPUINFO = Path("/proc/cpuinfo")
_FLAGS = ("flags", "Features")
"""The line of /proc/cpuinfo that lists what there is: of x86, of ARM."""
_NEEDED = {"flags": ("ssse3", "sse4_1", "sse4_2", "popcnt"), "Features": ("asimd",)}
"""numpy's wheels are compiled for x86-64-v2 (since 2.4) and for ARMv8 with NEON, and refuse to start on less."""


class Processor:
    """A processor, by what it says of itself.

    Args:
        cpuinfo: The text of ``/proc/cpuinfo``; an empty one says nothing.

    Attributes:
        name: Its name; None where it has none.
        kind: "flags" for x86, "Features" for ARM; None where it does not tell what it can do.
        features: What it can do.
    """

    def __init__(self, cpuinfo: str) -> None:
        lines = [line.partition(":") for line in cpuinfo.splitlines()]
        known = {name.strip(): value.strip() for name, _, value in reversed(lines)}
        self.name = known.get("model name")
        self.kind = next((kind for kind in _FLAGS if kind in known), None)
        self.features = frozenset(known[self.kind].split()) if self.kind else frozenset()

    @property
    def missing(self) -> list[str]:
        """What attar's libraries need and it does not have."""
        return [name for name in _NEEDED[self.kind] if name not in self.features] if self.kind else []


def read_processor(cpuinfo: Path = CPUINFO) -> Processor:
    """The processor of this machine."""
    try:
        return Processor(cpuinfo.read_text())
    except (OSError, UnicodeDecodeError):
        return Processor("")


def require_instructions(cpuinfo: Path = CPUINFO) -> None:
    """Refuse a processor that attar's libraries can't run on.

    Raises:
        MachineError: It names what is missing.
    """
    found = read_processor(cpuinfo)
    if found.missing:
        raise MachineError(
            f"This processor lacks instructions that attar needs: {', '.join(found.missing)}.",
            where=found.name,
            why="numpy and onnxruntime are compiled for x86-64-v2, or ARMv8 with NEON, and later.",
            next_step="In a virtual machine, pass the host's processor on (QEMU: -cpu host); else use a newer machine.",
        )
