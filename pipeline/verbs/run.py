"""``attar run``. Does not know how a run works."""

from __future__ import annotations

import json
from pathlib import Path

import click

__all__ = ["command"]


@click.command("run")
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change one value of the config.")
@click.option("--runs", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, help="Where runs go.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def command(config: Path, overrides: tuple[str, ...], runs: Path, as_json: bool) -> None:
    """Do the run that CONFIG describes: data, teacher, student, export, measurement, bundle.

    What an earlier call finished is not done again.

    \b
    Examples:
      attar run configs/quickstart.json
      attar run configs/quickstart.json --set distillation.steps=40 --set name=short
    """
    from ..config import load_config
    from ..threads import yield_to_others

    settings = load_config(config, overrides)
    yield_to_others()
    from ..report import results_table
    from ..run import run

    report = run(settings, runs)
    if as_json:
        click.echo(json.dumps(report.to_dict()))
        return
    click.echo(results_table(report))
    spent = ", ".join(f"{name} {seconds:.0f}" for name, seconds in report.seconds.items())
    held = ", ".join(f"{name} {peak / 1e9:.1f}" for name, peak in report.peak_memory.items() if peak)
    click.echo(f"\nseconds: {spent}")
    if held:
        click.echo(f"most memory, GB: {held}")
    click.echo(f"bundle: {report.bundle}")
