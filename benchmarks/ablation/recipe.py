"""What a cell's figures depend on besides the cell: teacher, settings, code, versions, machine. Does not train."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from attar.pipeline.config import RunConfig
from attar.pipeline.stages.code import code_hash
from attar.pipeline.training.precision import chosen_precision
from attar.pipeline.versions import installed_versions, this_machine
from attar.runtime.files import sha256_file, sha256_text

__all__ = ["facts_of", "recipe_of"]

_HERE = Path(__file__).parent
_DECIDING = (
    "attar.pipeline.training.baseline",
    "attar.pipeline.evaluation.answers",
    "attar.pipeline.evaluation.tokens",
)
"""Modules whose code, with all that it imports, decides what a cell comes to."""
_NO_INFLUENCE = frozenset({"output", "signal_folder", "teacher_license", "checkpoint_seconds"})
_CELLS = frozenset({"layer_choice", "loss", "seed"})
"""Settings that each cell has its own of; the seed is the teacher's too, and stands in its stage's key."""
_LIBRARIES = ("torch", "transformers", "tokenizers")


def facts_of(config: RunConfig) -> dict[str, Any]:
    """What stands in every line beside the figures, so that they can be had again."""
    settings = config.distillation.model_dump(mode="json", exclude=set(_NO_INFLUENCE | _CELLS))
    versions = installed_versions()
    return {
        "settings": settings | {"precision": chosen_precision(config.distillation.precision)},
        "max_new_tokens": config.measurement.max_new_tokens,
        "versions": {name: versions[name] for name in _LIBRARIES},
        "machine": this_machine(),
        "commit": _commit(),
    }


def recipe_of(facts: dict[str, Any], teacher: str) -> str:
    """The hash of those facts, the code, and the key of the teacher's stage, and so of its data: 16 hex digits.

    Not of the commit, as it may change nothing here, nor of the system, which changes with every update.
    """
    known = {name: value for name, value in facts.items() if name not in ("commit", "machine")}
    machine = {name: facts["machine"][name] for name in ("processor", "threads")}
    code = [*map(code_hash, _DECIDING), sha256_file(_HERE / "training.py")]
    text = json.dumps({**known, "machine": machine, "code": code, "teacher": teacher}, sort_keys=True)
    return sha256_text(text)[:16]


def _commit() -> str | None:
    """The checked-out commit, with a mark where files differ from it; None outside a repository."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    done = subprocess.run(command, cwd=_HERE, capture_output=True, text=True)
    return done.stdout.strip() or None
