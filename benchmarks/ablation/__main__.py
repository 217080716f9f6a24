"""Which layers, which divergence, how many samples: students of one corrected teacher, cell by cell, until time is up.

    python -m benchmarks.ablation --budget 60m --out benchmarks/results/ablation.jsonl

Stop it whenever you like, however you like: every finished cell is a line of its own, and the next call goes on with
the cells that are missing. The teacher is corrected once, into ``runs/ablation``. A cell is half the teacher's layers,
24 steps of alignment, which all losses on the same layers and samples share, 60 of distillation of 1,024 tokens each,
and 256 held-out questions: small, so that many of them can be had; scores are therefore those of unfinished students,
to be compared with each other alone. 5,000 samples are more than those steps see once. Layers are compiled once, by
the first cell of a call, for all its cells. Table and plot are written beside the results after every cell.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

import click

from attar.pipeline.config import load_config
from attar.pipeline.progress import say
from attar.pipeline.threads import yield_to_others
from attar.runtime.errors import AttarError
from attar.runtime.files import locked

_HERE = Path(__file__).parent
_ROOT = _HERE.parent.parent
_UNITS = {"s": 1, "m": 60, "h": 3600}


def seconds_of(context: click.Context, parameter: click.Parameter, text: str) -> float:
    """``90s``, ``60m``, ``1h30m`` in seconds."""
    if not re.fullmatch(r"(\d+[smh])+", text):
        raise click.BadParameter(f"{text!r} is not a time such as 90s, 60m or 1h30m")
    return float(sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+)([smh])", text)))


@click.command()
@click.option("--budget", default="60m", show_default=True, callback=seconds_of, help="No cell begins that ends later.")
@click.option("--out", type=click.Path(path_type=Path), default=_ROOT / "benchmarks/results/ablation.jsonl")
@click.option("--recipe", type=click.Path(path_type=Path), default=_HERE / "recipe.json", help="Another config.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change one value of the recipe.")
@click.option("--runs", type=click.Path(path_type=Path), default=_ROOT / "runs", help="Where the teacher is kept.")
@click.option("--seeds", type=click.IntRange(1), default=5, show_default=True, help="How many; one after the other.")
@click.option("--cells", "most", type=click.IntRange(1), help="Stop after so many, for a trial.")
def main(
    budget: float, out: Path, recipe: Path, overrides: tuple[str, ...], runs: Path, seeds: int, most: int | None
) -> None:
    """Train cells until time is up, and write results."""
    started = time.monotonic()
    yield_to_others()
    try:
        from .work import Clock, work  # imports torch

        config = load_config(recipe, overrides)
        with locked(runs / config.name):
            work(config, runs, out, clock=Clock(started, budget), seeds=seeds, most=most)
    except AttarError as error:
        click.echo(str(error), err=True)
        raise SystemExit(error.exit_code) from error
    except KeyboardInterrupt:
        say("ablation: stopped; finished cells are kept, and the same command goes on")
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
