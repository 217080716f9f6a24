"""``attar data show``. Does not know how a sample is found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from .options import AS_JSON, CONFIG, RUNS, SET

__all__ = ["show"]

_LINEAGE = ("kind", "form", "split", "mode", "role", "table", "rows", "keys", "columns", "seed", "source_sha256")


@click.command("show")
@click.argument("id", metavar="ID")
@CONFIG
@SET
@RUNS
@click.option("--data", "folder", type=click.Path(path_type=Path), help="The set, where it is not that of the run.")
@AS_JSON
def show(
    id: str,  # noqa: A002 - click names the parameter by the argument
    config: Path,
    overrides: tuple[str, ...],
    runs: Path,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Show the sample ID of CONFIG's build: prompt, answer, where it comes from, and its rows in the source.

    The first digits of an id do, where no other begins so.

    \b
    Examples:
      attar data show 0123456789abcdef configs/quickstart.json
      attar data show 0123 configs/quickstart.json --json
    """
    from ...config import load_config

    settings = load_config(config, overrides)
    from ...dataset import sample_with_rows

    sample, rows = sample_with_rows(settings, runs, id, folder)
    if as_json:
        click.echo(json.dumps({"sample": sample, "rows": rows}, ensure_ascii=False, default=str))
        return
    _show(sample, rows)


def _show(sample: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    for message in sample["messages"]:
        click.echo(f"── {message['role']}")
        click.echo(message.get("content") or "")
        for call in message.get("tool_calls") or []:
            click.echo(json.dumps(call, ensure_ascii=False))
    for tool in sample["tools"]:
        click.echo(f"── tool: {json.dumps(tool, ensure_ascii=False)}")
    click.echo(f"── answer\n{sample['answer']}\n── lineage")
    for name in ("id", *_LINEAGE):
        value = sample[name]
        click.echo(f"{name}: {', '.join(map(str, value)) if isinstance(value, list) else value}")
    for row in rows:
        click.echo(f"── {row['where']}" + (", values swapped with other rows" if row["swapped"] else ""))
        for name, text in row["values"].items():
            click.echo(f"{name}: {text}")
