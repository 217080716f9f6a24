"""What memory this process holds and held at most, from the kernel's own counters.

VmHWM belongs to one address space: ru_maxrss survives exec and would carry the parent's peak. Standard
library only, so that looking weighs nothing. Does not know models.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["MemoryUse", "peak", "reset_peak", "resident", "shares"]

_PROCESS = Path("/proc/self")
_RESET_PEAK = "5"  # proc_pid_clear_refs(5)


@dataclass(frozen=True)
class MemoryUse:
    """What one piece of work held, in bytes.

    Attributes:
        before: Resident when it began.
        peak: The most that was resident while it ran.
        exact: Whether the kernel let the peak be reset; if not, it may be of earlier work.
    """

    before: int
    peak: int
    exact: bool

    @property
    def growth(self) -> int:
        """What the work added at most."""
        return self.peak - self.before

    def to_dict(self) -> dict[str, int | bool]:
        """The same, for JSON."""
        return asdict(self)


def peak(process: int | None = None) -> int:
    """The most that was ever resident, or was since :func:`reset_peak`; of another process by its number."""
    return _field("status", "VmHWM", Path(f"/proc/{process}") if process else None)


def resident() -> int:
    """What is resident now."""
    return _field("status", "VmRSS")


def shares() -> dict[str, int]:
    """Proportional share of the resident pages, by what backs them: "anonymous" or "file"."""
    return {"anonymous": _field("smaps_rollup", "Pss_Anon"), "file": _field("smaps_rollup", "Pss_File")}


def reset_peak() -> bool:
    """Make the peak what is resident now; false where the kernel does not let us."""
    try:
        (_PROCESS / "clear_refs").write_text(_RESET_PEAK)
    except OSError:
        return False
    return True


def _field(file: str, name: str, process: Path | None = None) -> int:
    """A figure in kB as bytes; 0 where the kernel does not tell."""
    try:
        lines = ((process or _PROCESS) / file).read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:")), 0)
