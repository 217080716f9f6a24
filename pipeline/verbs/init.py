"""``attar init``. Does not know how a recipe is chosen."""

from __future__ import annotations

import json
from pathlib import Path

import click

__all__ = ["command"]


@click.command("init")
@click.argument("tables", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="TABLE...")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("recipe.json"), show_default=True, help="The recipe's file."
)
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def command(tables: tuple[Path, ...], out: Path, force: bool, as_json: bool) -> None:
    """Write a recipe for your own TABLEs: CSV, JSON, JSONL or Parquet files.

    \b
    Examples:
      attar init customers.csv
      attar init customers.csv orders.parquet --out recipes/shop.json
    """
    from attar.runtime.files import write_json

    from ..recipes import make_recipe, require_absent

    if not force:
        require_absent(out)
    recipe = make_recipe(tables, out)
    write_json(out, recipe.config)
    if as_json:
        click.echo(json.dumps({"recipe": str(out), "chosen": recipe.chosen, "look_at": recipe.look_at}))
        return
    for line in recipe.chosen:
        click.echo(line)
    click.echo("\nLook at:")
    for line in recipe.look_at:
        click.echo(f"  {line}")
    click.echo(f"\n{out} is written. Next: attar config check {out}; attar plan {out}; attar run {out}")
