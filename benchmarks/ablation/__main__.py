"""Which layers, which divergence, how many samples: students of one corrected teacher, cell by cell, until time is up.

    python -m benchmarks.ablation --budget 60m --out benchmarks/results/ablation.jsonl

Stop it whenever you like, however you like: every finished cell is a line of its own, and the next call goes on with
the next cell. The teacher is corrected once, into ``runs/ablation``. A cell is half the teacher's layers, 20 steps of
alignment and 60 of distillation of 1,024 tokens each, and 256 held-out questions: small, so that many of them can be
had; scores are therefore those of unfinished students, to be compared with each other alone. 5,000 samples are more
than those steps see once. Table and plot are written beside the results after every cell.
"""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from attar.pipeline.config import RunConfig, load_config
from attar.pipeline.progress import say
from attar.pipeline.threads import yield_to_others

from .cells import Cell, cells
from .ledger import append_line, read_lines

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
UNITS = {"s": 1, "m": 60, "h": 3600}
JUDGED_BY = (
    "attar.pipeline.training.baseline",
    "attar.pipeline.evaluation.answers",
    "attar.pipeline.evaluation.tokens",
)
"""Modules whose code, with all that it imports, decides what a cell comes to."""


@dataclass(frozen=True)
class Progress:
    """When the call began, and how long it may take, in seconds."""

    started: float
    budget: float

    @property
    def left(self) -> float:
        """Seconds."""
        return self.budget - (time.monotonic() - self.started)


def seconds_of(text: str) -> float:
    """``90s``, ``60m``, ``1h30m`` in seconds."""
    if not re.fullmatch(r"(\d+[smh])+", text):
        raise click.BadParameter(f"{text!r} is not a time such as 90s, 60m or 1h30m", param_hint="--budget")
    return float(sum(int(number) * UNITS[unit] for number, unit in re.findall(r"(\d+)([smh])", text)))


def recipe_of(config: RunConfig, teacher: str) -> str:
    """The hash of all that cells depend on besides what tells them apart: 16 hex digits."""
    from attar.pipeline.stages.code import code_hash
    from attar.runtime.files import sha256_text

    settings = config.distillation.model_dump(mode="json", exclude={"teacher_license", "checkpoint_seconds", "output"})
    code = [code_hash(module) for module in JUDGED_BY]
    known = {"teacher": teacher, "settings": settings, "code": code, "answers": config.measurement.max_new_tokens}
    return sha256_text(json.dumps(known, sort_keys=True))[:16]


def commit() -> str | None:
    """The checked-out commit; None outside a repository."""
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() or None


def facts(config: RunConfig) -> dict[str, Any]:
    """Versions, machine and settings that stand in every line."""
    from attar.pipeline.training.precision import chosen_precision
    from attar.pipeline.versions import installed_versions, this_machine

    settings = config.distillation
    return {
        "steps": {"alignment": settings.alignment_steps, "distillation": settings.steps},
        "batch_tokens": settings.batch_tokens,
        "precision": chosen_precision(settings.precision),
        "commit": commit(),
        "machine": this_machine(),
        "versions": installed_versions(),
    }


def layers_known(lines: Sequence[Mapping[str, Any]], cell: Cell) -> list[int] | None:
    """The layers that an earlier cell found on the same samples: no loss changes them, and to weigh them is slow."""
    for line in lines:
        known = line["cell"]
        if (known["choice"], known["samples"], known["seed"]) == (cell.choice, cell.samples, cell.seed):
            return list(line["layers"])
    return None


def work(config: RunConfig, runs: Path, out: Path, seeds: int, most: int | None, progress: Progress) -> None:
    """Make the teacher where it is not there, then cells until all are done or time is up."""
    from attar.pipeline.run import stages_of
    from attar.pipeline.stages.data import test_samples, training_samples
    from attar.pipeline.stages.teacher import MODEL

    from .summary import write_summary
    from .training import Task, train_cell

    stages = stages_of(config, runs)
    data, teacher = stages.make("data"), stages.make("teacher")
    shared = {"teacher_model_name": str(teacher.path / MODEL), "correction": {"steps": 0}}
    settings = type(config.distillation).model_validate(config.distillation.model_dump() | shared)
    task = Task(settings, training_samples(data), test_samples(data), config.measurement.max_new_tokens)
    recipe, known = recipe_of(config, stages.keys["teacher"]), facts(config)
    made = 0
    for cell in cells(seeds):
        lines = [line for line in read_lines(out) if line["recipe"] == recipe]
        if any(line["cell"] == cell.to_dict() for line in lines):
            continue
        if not room(lines, progress) or made == most:
            break
        what = f"{cell.choice}, {cell.loss}, {cell.samples:,} samples, seed {cell.seed}"
        say(f"ablation: {what}; {outlook(lines, progress)}")
        found = train_cell(task, cell, layers_known(lines, cell))
        ended = {"ended": time.strftime("%Y-%m-%dT%H:%M:%S%z")}
        line = {"cell": cell.to_dict(), "recipe": recipe, **found, **known, **ended}
        append_line(out, line)
        write_summary(out, [*lines, line])
        made += 1
        say(f"ablation: exact match {found['scores']['exact_match']:.1%}, {found['tokens']['loss']:.3f} nats a token")


def room(lines: Sequence[Mapping[str, Any]], progress: Progress) -> bool:
    """Whether a cell would end in time, as long as the earlier ones took; before the first there is if time is left."""
    return progress.left > typical_seconds(lines)


def typical_seconds(lines: Sequence[Mapping[str, Any]]) -> float:
    """The median of the cells' times; 0 where there is none yet."""
    return statistics.median(sum(line["seconds"].values()) for line in lines) if lines else 0.0


def outlook(lines: Sequence[Mapping[str, Any]], progress: Progress) -> str:
    """How many are done, and how many more there is time for."""
    left = f"{progress.left / 60:.0f} min left"
    if not lines:
        return left
    return f"{len(lines)} done, {left}, about {int(progress.left // max(typical_seconds(lines), 1))} more"


@click.command()
@click.option("--budget", default="60m", show_default=True, help="When to stop: no cell begins that would end later.")
@click.option("--out", type=click.Path(path_type=Path), default=ROOT / "benchmarks/results/ablation.jsonl")
@click.option("--recipe", type=click.Path(path_type=Path), default=HERE / "recipe.json", help="Another config.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change one value of the recipe.")
@click.option("--runs", type=click.Path(path_type=Path), default=ROOT / "runs", help="Where the teacher is kept.")
@click.option("--seeds", type=click.IntRange(1), default=5, show_default=True, help="How many; one after the other.")
@click.option("--cells", "most", type=click.IntRange(1), help="Stop after so many, for a trial.")
def main(
    budget: str, out: Path, recipe: Path, overrides: tuple[str, ...], runs: Path, seeds: int, most: int | None
) -> None:
    """Train cells until time is up, and write results."""
    from attar.runtime.errors import AttarError
    from attar.runtime.files import locked

    progress = Progress(time.monotonic(), seconds_of(budget))
    yield_to_others()
    try:
        config = load_config(recipe, overrides)
        with locked(runs / config.name):
            work(config, runs, out, seeds, most, progress)
    except AttarError as error:
        click.echo(str(error), err=True)
        raise SystemExit(error.exit_code) from error
    except KeyboardInterrupt:
        say("ablation: stopped; finished cells are kept, and the same command goes on")
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
