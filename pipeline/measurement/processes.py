"""Variants measured in turn, each time in a fresh process; medians are what counts.

Taking turns keeps a slow minute of the machine from falling on one variant alone.
Does not know what a variant is made of.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from attar.runtime.errors import CheckFailed

from ..progress import track

__all__ = ["Cost", "Variant", "measure_costs"]


@dataclass(frozen=True)
class Variant:
    """What to load: "torch" with a model folder, or "bundle" with a bundle."""

    kind: str
    path: Path


@dataclass(frozen=True)
class Cost:
    """Medians over the repetitions.

    Attributes:
        load_seconds: Import and load.
        first_token_seconds: Prompt in, first token out, once loaded.
        decode_tokens_per_second: After the first token.
        peak_memory_bytes: VmHWM of the whole process.
    """

    load_seconds: float
    first_token_seconds: float
    decode_tokens_per_second: float
    peak_memory_bytes: float

    def to_dict(self) -> dict[str, float]:
        """The same, for JSON."""
        return asdict(self)


def measure_costs(
    variants: Mapping[str, Variant], prompt: Sequence[int], *, tokens: int, threads: int, repetitions: int
) -> dict[str, Cost]:
    """Measure each variant ``repetitions`` times, taking turns.

    Raises:
        CheckFailed: A variant's process fails.
    """
    found: dict[str, list[dict[str, float]]] = {name: [] for name in variants}
    with (
        tempfile.TemporaryDirectory() as scratch,
        track("measure", repetitions * len(variants)) as progress,
    ):
        prompt_file = Path(scratch, "prompt.json")
        prompt_file.write_text(json.dumps(list(prompt)), encoding="utf-8")
        for turn in range(repetitions):
            order = list(variants.items())
            for name, variant in order if turn % 2 == 0 else order[::-1]:
                found[name].append(_run(name, variant, prompt_file, tokens, threads))
                progress(1)
    fields = Cost.__dataclass_fields__
    return {
        name: Cost(**{field: statistics.median(run[field] for run in runs) for field in fields})
        for name, runs in found.items()
    }


def _run(name: str, variant: Variant, prompt_file: Path, tokens: int, threads: int) -> dict[str, float]:
    command = [sys.executable, "-m", "attar.pipeline.measurement.worker", variant.kind, str(variant.path)]
    environment = os.environ | {"OMP_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [*command, str(prompt_file), str(tokens), str(threads)], capture_output=True, text=True, env=environment
    )
    if done.returncode != 0:
        raise CheckFailed(
            f"The process that measures {name!r} failed.", where=variant.path, why=done.stderr.strip()[-500:]
        )
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    if figures["decoded"] != tokens:
        raise CheckFailed(f"{name!r} decoded {figures['decoded']} tokens instead of {tokens}.", where=variant.path)
    return figures
