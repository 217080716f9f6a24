"""A bundle verified on this machine: its graph against what torch said when it was exported.

Hands on the figures, and an error where they are beyond the manifest's limits. Does not know how they are shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .bundle import Bundle
from .engine.session import open_decoder
from .errors import BundleError, ParityError
from .limits import available_threads
from .parity import PROMPTS_FILE, Parity, measure, read_references

__all__ = ["Verification", "require_within", "verify"]


@dataclass(frozen=True)
class Verification:
    """What was found.

    Attributes:
        bundle: The bundle's folder.
        form: Its numeric form.
        graph: The graph's contract.
        threads: Threads that it was computed with.
        parity: How far it is from torch here, at the answers' likely tokens.
        limits: What the manifest allows.
    """

    bundle: str
    form: str
    graph: str
    threads: int
    parity: Parity
    limits: Mapping[str, float]

    def to_dict(self) -> dict[str, Any]:
        """The same, for JSON."""
        return asdict(self)


def verify(path: Path, *, threads: int | None = None) -> Verification:
    """Measure a bundle's parity on this machine.

    Raises:
        BundleError: The bundle is broken, or carries no references.
    """
    bundle = Bundle.open(path)
    manifest = bundle.manifest
    if PROMPTS_FILE not in manifest.files:
        raise BundleError(
            "The bundle carries nothing to verify it by.",
            where=path,
            why=f"It has no {PROMPTS_FILE}, as bundles have since format 3; this one is of format {manifest.format}.",
            next_step="Export the student again with this version of attar.",
        )
    references, threads = read_references(path), threads or available_threads()
    decoder = open_decoder(bundle.graph, manifest.architecture, manifest.graph, threads=threads)
    found = measure(decoder, references)
    return Verification(str(path), manifest.quantization, manifest.graph, threads, found, manifest.limits)


def require_within(found: Verification) -> None:
    """Check the limits.

    Raises:
        ParityError: A figure is beyond its limit.
    """
    limits, here = found.limits, found.parity
    most = limits.get("max_logit_difference")
    if most is not None and not here.largest_logit_difference <= most:
        raise _disagree(found, f"a logit difference of {here.largest_logit_difference:.2g}, allowed {most:.2g}")
    for name, share in (("min_agreement", here.agreement), ("min_greedy_equal", here.greedy_equal)):
        if not share >= limits.get(name, 0.0):
            what = "same most likely token" if name == "min_agreement" else "same greedy answer"
            raise _disagree(found, f"{what} {share:.2%}, wanted {limits[name]:.2%}")


def _disagree(found: Verification, why: str) -> ParityError:
    return ParityError(
        "On this machine the bundle and torch disagree.",
        where=found.bundle,
        why=f"Found {why}, over {found.parity.tokens} tokens.",
        next_step="Export the student on this machine, or with --quantize none.",
    )
