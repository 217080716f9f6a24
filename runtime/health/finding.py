"""One thing that was looked at. Does not know how it is printed."""

from __future__ import annotations

from dataclasses import asdict, dataclass

__all__ = ["Finding", "as_gigabytes"]


@dataclass(frozen=True)
class Finding:
    """What was found, and what to do about it.

    Attributes:
        subject: What was looked at.
        status: "ok", "note" (works, but worth knowing) or "fault" (something will not work).
        found: What was found, in one line.
        fix: What to do; every fault has one.
    """

    subject: str
    status: str
    found: str
    fix: str | None = None

    def to_dict(self) -> dict[str, str | None]:
        """The same, for JSON."""
        return asdict(self)


def as_gigabytes(count: float) -> str:
    """Bytes for people."""
    return f"{count / 1e9:.1f} GB"
