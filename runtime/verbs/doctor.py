"""``attar doctor``. Does not know what a healthy machine is."""

from __future__ import annotations

import json
from pathlib import Path

import click

__all__ = ["command"]

_FAULT, _BROKEN_BUNDLE = 1, 5


@click.command("doctor")
@click.argument("bundle", type=click.Path(path_type=Path), required=False)
@click.option("--runs", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, help="Where runs go.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
@click.pass_context
def command(context: click.Context, bundle: Path | None, runs: Path, as_json: bool) -> None:
    """Look at versions, CPU, threads, memory and disk, and at BUNDLE if one is given.

    Exits with 0 when nothing is faulty, 1 for a fault, 5 for a broken bundle.

    \b
    Examples:
      attar doctor
      attar doctor runs/quickstart/bundle
    """
    from ..health import examine, examine_bundle

    around = list(examine(runs))
    inside = list(examine_bundle(bundle)) if bundle else []
    faulty = [any(finding.status == "fault" for finding in group) for group in (around, inside)]
    code = _BROKEN_BUNDLE if faulty[1] else _FAULT if faulty[0] else 0
    if as_json:
        findings = [finding.to_dict() for finding in (*around, *inside)]
        click.echo(json.dumps({"ok": code == 0, "exit_code": code, "findings": findings}))
    else:
        for finding in (*around, *inside):
            click.echo(f"{finding.status:5}  {finding.subject}: {finding.found}")
            if finding.fix:
                click.echo(f"         {finding.fix}")
    context.exit(code)
