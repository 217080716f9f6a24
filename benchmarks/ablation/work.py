"""The teacher, then row after row of cells until all are done or time is up. Does not know how a cell is trained."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attar.pipeline.config import RunConfig
from attar.pipeline.planning.needs import needs_of, sizes_of
from attar.pipeline.planning.speed import probe
from attar.pipeline.progress import say
from attar.pipeline.run import stages_of
from attar.pipeline.stages import Stages
from attar.pipeline.stages.data import test_samples, training_samples
from attar.pipeline.stages.teacher import MODEL
from attar.runtime.errors import CheckFailed, UsageError

from .cells import SAMPLES, Cell, cells
from .ledger import Ledger
from .recipe import facts_of, recipe_of
from .summary import write_summary
from .training import Start, Task, start_row, train_cell

__all__ = ["Clock", "cell_seconds", "known_layers", "work"]

_OF_A_CELL, _OF_A_ROW = ("training", "scoring"), ("cut", "alignment")
"""Names of seconds."""


@dataclass(frozen=True)
class Clock:
    """When the call began, on the monotonic clock, and how many seconds it may take."""

    started: float
    budget: float

    @property
    def left(self) -> float:
        """Seconds."""
        return self.started + self.budget - time.monotonic()


def work(config: RunConfig, runs: Path, out: Path, *, clock: Clock, seeds: int, most: int | None = None) -> None:
    """Make the teacher where it is not there, then cells, of which each is in the ledger before the next begins.

    Args:
        config: The recipe.
        runs: Where the teacher is kept.
        out: The ledger's file.
        clock: No cell begins that would end after it.
        seeds: How many.
        most: Cells of this call; None for no limit.

    Raises:
        UsageError: The recipe has fewer training samples than a cell wants.
        DataError: The ledger can't be read.
    """
    stages = stages_of(config, runs)
    task = _task(config, stages)
    facts = facts_of(config)
    ledger = Ledger(out, recipe_of(facts, stages.keys["teacher"]))
    if ledger.others:
        say(f"ablation: {ledger.others} cells of other code, settings or machines stay in {out} and do not count")
    done = [line["cell"] for line in ledger.lines]
    missing = [cell for cell in cells(seeds) if cell.to_dict() not in done]
    guess = 0.0 if ledger.finished or not missing else _guess(config, task)
    start: Start | None = None
    for number, cell in enumerate(missing[:most]):
        begins = start is None or cell.row != missing[number - 1].row
        seconds = cell_seconds(ledger.finished, cell, guess, begins_row=begins)
        if seconds > clock.left:
            say(f"ablation: time is up, {len(missing) - number} cells are missing; the same command goes on")
            break
        say(_outlook(cell, seconds, len(ledger.lines), clock))
        start = None if begins else start  # a row's models go before the next one's come
        start, found = _tried(task, cell, start, ledger)
        say(_told(found))
        ledger.append({"cell": cell.to_dict(), **found, **facts, "ended": time.strftime("%Y-%m-%dT%H:%M:%S%z")})
        write_summary(ledger)


def _task(config: RunConfig, stages: Stages) -> Task:
    """The samples, and the corrected teacher, made where they are not there."""
    if not config.distillation.alpha:
        raise UsageError("Divergences are compared, and do nothing with distillation.alpha 0.", next_step="Raise it.")
    data = stages.make("data")
    train, test = training_samples(data), test_samples(data)
    if len(train) < max(SAMPLES):
        raise UsageError(
            f"The recipe has {len(train):,} training samples; cells want up to {max(SAMPLES):,}.",
            next_step="Raise data.records_per_table or data.questions_per_record.",
        )
    corrected = {"teacher_model_name": str(stages.make("teacher").path / MODEL), "correction": {"steps": 0}}
    settings = type(config.distillation).model_validate(config.distillation.model_dump() | corrected)
    return Task(settings, train, test, config.measurement.max_new_tokens)


def _tried(task: Task, cell: Cell, start: Start | None, ledger: Ledger) -> tuple[Start | None, dict[str, Any]]:
    """What a cell comes to, and what its row begins with, made where there is none.

    That a loss stops being a number is a result too, and no reason to stop.
    """
    begun: dict[str, float] = {}
    try:
        if start is None:
            start = start_row(task, cell, known_layers(ledger.finished, cell))
            begun = start.seconds
        found = train_cell(task, cell, start)
    except CheckFailed as error:
        return start, {"failed": str(error)}
    return start, found | {"seconds": begun | found["seconds"]}


def cell_seconds(lines: Sequence[Mapping[str, Any]], cell: Cell, guess: float, *, begins_row: bool) -> float:
    """How long a cell takes: the median of those with its loss, else of all; the guess where there is none yet.

    What a row begins with takes the median of what it took before, on top.
    """
    if not lines:
        return guess
    alike = [line for line in lines if line["cell"]["loss"] == cell.loss] or lines
    own = statistics.median(sum(line["seconds"][part] for part in _OF_A_CELL) for line in alike)
    starts = [sum(line["seconds"].get(part, 0.0) for part in _OF_A_ROW) for line in lines]
    begun = [seconds for seconds in starts if seconds]
    return own + (statistics.median(begun) if begins_row and begun else 0.0)


def known_layers(lines: Sequence[Mapping[str, Any]], cell: Cell) -> list[int] | None:
    """The layers that an earlier cell of the row found: to weigh them is slow, and threads may rank two otherwise."""
    for line in lines:
        known = line["cell"]
        if (known["choice"], known["samples"], known["seed"]) == cell.row:
            return list(line["layers"])
    return None


def _told(found: Mapping[str, Any]) -> str:
    """What a cell came to, as a line."""
    if "failed" in found:
        return f"ablation: {found['failed']}"
    return f"ablation: exact match {found['scores']['exact_match']:.1%}, {found['tokens']['loss']:.3f} nats a token"


def _guess(config: RunConfig, task: Task) -> float:
    """Seconds of a cell, by one layer of the teacher timed now."""
    shaped = config.model_copy(update={"distillation": task.settings})
    sizes = sizes_of(shaped, len(task.test), len(task.train), 0.0, 0)
    return needs_of(shaped, sizes, probe(shaped))["student"].seconds


def _outlook(cell: Cell, seconds: float, done: int, clock: Clock) -> str:
    return f"ablation: cell {done + 1}: {cell}; about {seconds:.0f} s, {clock.left / 60:.0f} min left"
