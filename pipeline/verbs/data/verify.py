"""``attar data verify``. Does not know how an answer is recomputed."""

from __future__ import annotations

import json
from pathlib import Path

import click

from .options import AS_JSON, CONFIG, RUNS, SET

__all__ = ["verify"]

_WRONG = 1
_MOST_FAULTS = 10


@click.command("verify")
@CONFIG
@SET
@RUNS
@click.option("--data", "folder", type=click.Path(path_type=Path), help="The set, where it is not that of the run.")
@AS_JSON
@click.pass_context
def verify(
    context: click.Context, config: Path, overrides: tuple[str, ...], runs: Path, folder: Path | None, as_json: bool
) -> None:
    """Recompute every sample that CONFIG's build made from the tables, read again, and prove the splits again.

    Exits with 1 where one sample is not what its source gives, or training shares a record with the test.

    \b
    Examples:
      attar data verify configs/quickstart.json
      attar data verify configs/quickstart.json --data my-set --json
    """
    from ...config import load_config

    settings = load_config(config, overrides)
    from ...dataset import verify_samples

    found = verify_samples(settings, runs, folder)
    if as_json:
        click.echo(json.dumps({"config": str(config), "right": found.right, **found.to_dict()}, ensure_ascii=False))
    else:
        for kind, count in sorted(found.checked.items()):
            click.echo(f"{kind:24} {count:>9,}")
        for fault in found.faults[:_MOST_FAULTS]:
            click.echo(f"wrong: {fault.id}: {fault.why}")
        checked = found.checked.total()
        click.echo(f"{checked - len(found.faults):,} of {checked:,} are what their sources give.")
        for line in found.shared:
            click.echo(f"wrong: {line}")
    context.exit(0 if found.right else _WRONG)
