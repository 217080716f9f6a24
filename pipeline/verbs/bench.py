"""``attar bench``. Does not know how anything is measured."""

from __future__ import annotations

import json
from pathlib import Path

import click

__all__ = ["command"]


@click.command("bench")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--teacher", metavar="MODEL", help="Compare with this torch model: folder, GGUF file or pkg: name.")
@click.option("--pairs", type=click.IntRange(2), default=12, show_default=True, help="Timed answers of each.")
@click.option("--tokens", type=click.IntRange(8), default=32, show_default=True, help="Tokens of an answer.")
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True, help="Fresh processes of each.")
@click.option("--threads", type=click.IntRange(1), help="Threads of each; by default all that this process may use.")
@click.option("--use", help="What for, such as throughput, of a bundle with several forms; by default its first.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def command(
    bundle: Path,
    teacher: str | None,
    pairs: int,
    tokens: int,
    rounds: int,
    threads: int | None,
    use: str | None,
    as_json: bool,
) -> None:
    """Measure size, load, memory, first token and decode of BUNDLE.

    With --teacher both run in fresh processes and answer in turn, and each ratio comes with its 95 % interval.
    Close what else uses the machine: noise widens the intervals.

    \b
    Examples:
      attar bench runs/quickstart/bundle
      attar bench runs/quickstart/bundle --teacher runs/quickstart/stages/teacher/model --pairs 30
    """
    from attar.runtime.limits import available_threads

    from ..measurement.bundles import measure_bundle
    from ..report import costs_table

    threads = threads or available_threads()
    found = measure_bundle(bundle, teacher, tokens=tokens, threads=threads, rounds=rounds, pairs=pairs, use=use)
    if as_json:
        click.echo(json.dumps({**found.to_dict(), "tokens": tokens, "threads": threads}))
        return
    ratios = found.ratios
    click.echo(
        costs_table(
            {name: cost.to_dict() for name, cost in found.variants.items()},
            {name: ratio.ratio for name, ratio in ratios.items()},
            {name: (ratio.low, ratio.high) for name, ratio in ratios.items()},
        )
    )
    click.echo(f"\n{threads} threads, {tokens} tokens an answer, {rounds} rounds, {pairs} pairs")
