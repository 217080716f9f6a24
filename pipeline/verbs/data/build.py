"""``attar data build``. Does not know how samples are made."""

from __future__ import annotations

import json
from pathlib import Path

import click

from .options import AS_JSON, CONFIG, RUNS, SET

__all__ = ["build"]


@click.command("build")
@CONFIG
@SET
@RUNS
@click.option("--out", type=click.Path(path_type=Path), metavar="FOLDER", help="Copy the set there as well.")
@AS_JSON
def build(config: Path, overrides: tuple[str, ...], runs: Path, out: Path | None, as_json: bool) -> None:
    """Make the samples of CONFIG: the first stage of `attar run`, which then finds them there.

    What is there already and still right is not made again.

    \b
    Examples:
      attar data build configs/quickstart.json
      attar data build configs/quickstart.json --set data.salt=again --out my-set
    """
    from ...config import load_config

    settings = load_config(config, overrides)
    from ...data.manifest import left_out, read_manifest
    from ...dataset import build_samples, copy_set

    product, tally = build_samples(settings, runs)
    folder = copy_set(product, out) if out else product.path
    if as_json:
        facts = {"folder": str(folder), "cached": product.cached, "seconds": product.seconds}
        click.echo(json.dumps({**facts, "kinds": tally, "facts": product.facts}, ensure_ascii=False))
        return
    for kind, splits in sorted(tally.items()):
        click.echo(f"{kind:24} {splits.get('train', 0):>9,} to train on {splits.get('test', 0):>7,} to test on")
    for reason, count in left_out(read_manifest(folder)):
        click.echo(f"left out, {reason}: {count:,}")
    click.echo(f"{'there already' if product.cached else f'{product.seconds:.1f} s'}: {folder}")
