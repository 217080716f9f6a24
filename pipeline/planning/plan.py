"""What a run would do, and whether this machine has room for it; nothing is made.

Does not know how needs are computed or how a plan is printed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from attar.runtime.bundle import MANIFEST_FILE
from attar.runtime.limits import free_disk, memory

from ..checking import check_tables
from ..config import RunConfig
from ..run import stages_of
from ..stages.export import BUNDLE
from .needs import Need, Sizes, needs_of, sizes_of
from .speed import Earlier, Speed, earlier_run, probe

__all__ = ["Plan", "PlannedStage", "plan_run"]


@dataclass(frozen=True)
class PlannedStage:
    """One stage as it stands.

    Attributes:
        name: The stage.
        missing: Why it has to be made; None where its product is there and is not made again.
        seconds: How long it will take; 0 where it is there.
        memory: Bytes of memory at its peak.
        disk: Bytes that the run's folder grows by until the peak of this stage.
    """

    name: str
    missing: str | None
    seconds: float
    memory: float
    disk: float


@dataclass(frozen=True)
class Plan:
    """All stages, and what is free.

    Attributes:
        stages: In order.
        free_memory: Bytes, as control groups leave them; None where the system does not say.
        free_disk: Bytes where runs go.
        basis: What the figures rest on, a line each.
        problems: What is plainly too small, with the next step; empty where there is room.
    """

    stages: list[PlannedStage]
    free_memory: int | None
    free_disk: int
    basis: list[str]
    problems: list[str]

    @property
    def seconds(self) -> float:
        """Of all that has to be made."""
        return sum(stage.seconds for stage in self.stages)

    def to_dict(self) -> dict[str, Any]:
        """The same, for JSON."""
        return {"ok": not self.problems, "seconds": self.seconds, **asdict(self)}


def plan_run(config: RunConfig, runs: Path) -> Plan:
    """Plan a run without making anything; reads the tables, the models' configs, and times one layer.

    Raises:
        DataError: A table can't be used.
        ModelError: A model's config can't be read.
    """
    started = time.perf_counter()
    tables = check_tables(config)
    data_seconds = time.perf_counter() - started
    questions, samples = (sum(table.questions[split] for table in tables) for split in ("test", "train"))
    sizes = sizes_of(config, questions, samples, data_seconds, sum(table.size for table in tables))
    speed = probe(config)
    needs, earlier = needs_of(config, sizes, speed), earlier_run(config, runs)
    if earlier:
        needs = _by(earlier, needs, replace(sizes, questions=_questions(earlier.config, config, questions)), speed)
    basis = [
        f"models: teacher {sizes.teacher.parameters / 1e6:.1f}M parameters, student "
        f"{sizes.student.parameters / 1e6:.1f}M; batches of {config.distillation.batch_tokens} tokens; "
        f"{questions} test questions",
        _by_earlier(earlier) if earlier else _by_probe(speed),
        f"memory: weights, gradients and moments counted, and {speed.activations / 1e3:.0f} kB of activations for "
        "each token and layer, measured on one layer; checkpoints counted whole",
    ]
    stages = _stages(config, runs, needs)
    found = memory()
    free = (found.free if found else None, free_disk(runs))
    return Plan(stages, *free, basis, _problems(stages, *free))


def _by(earlier: Earlier, needs: Mapping[str, Need], sizes: Sizes, speed: Speed) -> dict[str, Need]:
    """The needs with the times of an earlier run, by the ratio of today's work to that run's."""
    shapes = sizes_of(earlier.config, sizes.questions, sizes.samples, sizes.data_seconds, sizes.data_bytes)
    then = needs_of(earlier.config, shapes, speed)
    return {
        name: replace(need, seconds=earlier.seconds[name] * need.seconds / then[name].seconds)
        if name in earlier.seconds and then[name].seconds
        else need
        for name, need in needs.items()
    }


def _questions(earlier: RunConfig, config: RunConfig, questions: int) -> int:
    """How many test questions an earlier run had, where the tables give as large a share of what is asked for."""
    return round(questions * earlier.data.test_questions / config.data.test_questions)


def _by_earlier(earlier: Earlier) -> str:
    return f"times: what {earlier.folder} took on this processor, by the ratio of the work"


def _by_probe(speed: Speed) -> str:
    load = os.getloadavg()[0]
    busy = f"; the machine is busy (load {load:.1f}), idle it is faster" if load > speed.threads else ""
    return (
        f"times: one layer of the teacher, timed just now on {speed.threads} threads in {speed.precision}: "
        f"{speed.forward / 1e9:.0f} GFLOP/s forward, {speed.training / 1e9:.0f} in training. Rough: expect half to "
        f"twice as long; a whole run in this folder makes it better{busy}"
    )


def _stages(config: RunConfig, runs: Path, needs: Mapping[str, Need]) -> list[PlannedStage]:
    stages, kept, planned = stages_of(config, runs), 0.0, []
    for name in stages.names:
        need, missing = needs[name], stages.missing(name)
        if name == "card" and missing is None and not (runs / config.name / BUNDLE / MANIFEST_FILE).is_file():
            missing = "the bundle was removed"
        if missing is None:
            planned.append(PlannedStage(name, None, 0, 0, 0))
            continue
        planned.append(PlannedStage(name, missing, need.seconds, need.memory, kept + need.kept + need.passing))
        kept += need.kept
    return planned


def _problems(stages: Sequence[PlannedStage], free_memory: int | None, disk: int) -> list[str]:
    found = []
    hungry, large = (max(stages, key=lambda stage: getattr(stage, name)) for name in ("memory", "disk"))
    if free_memory is not None and hungry.memory > free_memory:
        found.append(
            f"The stage {hungry.name!r} needs about {hungry.memory / 1e9:.1f} GB of memory; "
            f"{free_memory / 1e9:.1f} GB are free. End other programs, raise the container's limit, set a smaller "
            "distillation.batch_tokens, or take a smaller teacher."
        )
    if large.disk > disk:
        found.append(
            f"The run needs about {large.disk / 1e9:.1f} GB of disk by the stage {large.name!r}; {disk / 1e9:.1f} GB "
            "are free. Make room, or choose another disk with --runs."
        )
    return found
