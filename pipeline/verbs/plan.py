"""``attar plan``. Does not know how a plan is made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..planning import Plan

__all__ = ["command"]

_TOO_SMALL = 1


@click.command("plan")
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change one value of the config.")
@click.option("--runs", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, help="Where runs go.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
@click.pass_context
def command(context: click.Context, config: Path, overrides: tuple[str, ...], runs: Path, as_json: bool) -> None:
    """Show what the run of CONFIG would do: its stages, what is there already, time, memory and disk.

    Nothing is made. Exits with 1 when memory or disk is plainly too small.

    \b
    Examples:
      attar plan configs/quickstart.json
      attar plan configs/full.json --set distillation.steps=600
    """
    from ..config import load_config

    settings = load_config(config, overrides)
    from ..planning import plan_run

    plan = plan_run(settings, runs)
    if as_json:
        click.echo(json.dumps({"config": str(config), "run": str(runs / settings.name), **plan.to_dict()}))
    else:
        _show(plan)
    context.exit(_TOO_SMALL if plan.problems else 0)


def _show(plan: Plan) -> None:
    click.echo(f"{'stage':12} {'time':>8} {'memory':>9} {'disk':>9}")
    for stage in plan.stages:
        if stage.missing is None:
            click.echo(f"{stage.name:12} {'there':>8}")
            continue
        figures = f"{_time(stage.seconds):>8} {_size(stage.memory):>9} {_size(stage.disk):>9}"
        click.echo(f"{stage.name:12} {figures}  {stage.missing}")
    peak_memory, peak_disk = (max(getattr(stage, name) for stage in plan.stages) for name in ("memory", "disk"))
    click.echo(f"{'all':12} {_time(plan.seconds):>8} {_size(peak_memory):>9} {_size(peak_disk):>9}")
    free = "?" if plan.free_memory is None else _size(plan.free_memory)
    click.echo(f"{'free':12} {'':8} {free:>9} {_size(plan.free_disk):>9}\n")
    for line in plan.basis:
        click.echo(line)
    for line in plan.problems:
        click.echo(f"\nToo small: {line}")


def _time(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


def _size(count: float) -> str:
    return f"{count / 1e9:.1f} GB"
