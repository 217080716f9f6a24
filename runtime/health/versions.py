"""Python and the libraries against what the installed attar asks for. Imports none of them."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata, requires, version

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from .finding import Finding

__all__ = ["examine_versions"]


def examine_versions(distribution: str = "attar") -> Iterator[Finding]:
    """Python, what the base install needs, and each extra."""
    told = metadata(distribution)
    yield _python(told["Requires-Python"] or "")
    needed = [Requirement(text) for text in requires(distribution) or ()]
    yield from _base([need for need in needed if need.marker is None or need.marker.evaluate({"extra": ""})])
    for extra in told.get_all("Provides-Extra") or ():
        own = [need for need in needed if need.marker is not None and need.marker.evaluate({"extra": extra})]
        yield from _extra(f"{distribution}[{extra}]", own)


def _python(required: str) -> Finding:
    found = platform.python_version()
    if SpecifierSet(required).contains(found, prereleases=True):
        return Finding("python", "ok", f"{found}, {platform.python_implementation()} on {platform.machine()}")
    return Finding("python", "fault", f"{found}, but attar needs {required}", f"Install Python {required}.")


def _base(needed: list[Requirement]) -> Iterator[Finding]:
    wrong = [finding for need in needed if (finding := _misfit(need))]
    yield from wrong
    if not wrong:
        yield Finding("libraries", "ok", ", ".join(f"{need.name} {version(need.name)}" for need in needed))


def _extra(name: str, needed: list[Requirement]) -> Iterator[Finding]:
    """An extra counts as installed when more than half of it is there; else its gaps are no fault."""
    wrong = [finding for need in needed if (finding := _misfit(need))]
    present = [need for need in needed if _version(need.name)]
    if len(present) * 2 <= len(needed):
        yield from (finding for finding in wrong if _version(finding.subject))
        yield Finding(name, "note", "not installed", f"If you need it, run: pip install '{name}'")
        return
    yield from wrong
    if not wrong:
        yield Finding(name, "ok", ", ".join(f"{need.name} {version(need.name)}" for need in needed))


def _misfit(need: Requirement) -> Finding | None:
    found = _version(need.name)
    if found is not None and need.specifier.contains(found, prereleases=True):
        return None
    is_there = f"{found}, but attar needs {need.specifier}" if found else "not installed"
    return Finding(need.name, "fault", is_there, f"Run: pip install '{need.name}{need.specifier}'")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
