"""``attar data check``. Does not know how tables are looked at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import AS_JSON, CONFIG, RUNS, SET

if TYPE_CHECKING:
    from ...inspection import Inspection, TableFacts

__all__ = ["check"]

_A_BUILD_WOULD_FAIL = 1
_PAGE = "data-check.html"


@click.command("check")
@CONFIG
@SET
@RUNS
@click.option("--html", type=click.Path(path_type=Path), help=f"Where the page goes.  [default: RUNS/NAME/{_PAGE}]")
@click.option("--no-tokens", is_flag=True, help="Leave out the lengths in tokens, which need the teacher's tokenizer.")
@AS_JSON
@click.pass_context
def check(
    context: click.Context,
    config: Path,
    overrides: tuple[str, ...],
    runs: Path,
    html: Path | None,
    no_tokens: bool,
    as_json: bool,
) -> None:
    """Look at the tables of CONFIG: columns, gaps, repeats, balance, lengths, splits, and the samples they give.

    Each problem comes with up to ten examples, with their lines; all of it stands on an HTML page too, with plots.
    Exits with 0 where a build would go through, with 1 where it would not, with 4 where a table can't be read.

    \b
    Examples:
      attar data check configs/quickstart.json
      attar data check my.json --html my-tables.html --json
    """
    from attar.runtime.files import write_atomic

    from ...config import load_config

    settings = load_config(config, overrides)
    from ...inspection import inspect_tables, page

    found = inspect_tables(settings, with_tokens=not no_tokens)
    html = html or runs / settings.name / _PAGE
    write_atomic(html, page(found))
    if as_json:
        click.echo(json.dumps({"config": str(config), "page": str(html), **found.to_dict()}, ensure_ascii=False))
    else:
        _show(found)
        click.echo(f"page: {html}")
    context.exit(0 if found.usable else _A_BUILD_WOULD_FAIL)


def _show(found: Inspection) -> None:
    for table in found.tables:
        _show_table(table)
    trial = found.trial
    made = "" if trial.whole else f" (of {trial.records:,} training records of each table)"
    click.echo(f"samples{made}:")
    for kind, splits in trial.kinds.items():
        click.echo(f"  {kind:24} {splits['train']:>9,} to train on {splits['test']:>7,} to test on")
    tokens = f"at most {trial.longest:,} tokens with its answer" if trial.longest else trial.no_tokens
    click.echo(f"  prompts: {tokens}\n")
    for label, problem in found.problems:
        place = f"{label}: " if label else ""
        click.echo(f"{'STOPS A BUILD' if problem.stops else 'look at'}: {place}{problem.what}")
        for example in problem.examples:
            said = [text for text in (example.column, example.value, example.why) if text]
            click.echo(f"    {example.where}  {': '.join(said)}")
        if problem.next_step:
            click.echo(f"    next: {problem.next_step}")
    if not found.problems:
        click.echo("Nothing to look at.")


def _show_table(table: TableFacts) -> None:
    left_out = f", {table.rejects:,} left out" if table.rejects else ""
    click.echo(f"{table.label}: {table.rows:,} rows{left_out}, named by {' and '.join(table.entity)}; {table.source}")
    width = max(len(column.name) for column in table.columns)
    for column in table.columns:
        distinct = f"{'' if column.exact else 'about '}{column.distinct:,} distinct"
        gaps = f"{column.gaps:,} gaps" if column.gaps else "no gaps"
        click.echo(f"  {column.name:{width}}  {column.type:10} {gaps:>12}  {distinct:>18}  {column.example}")
    click.echo("")
