"""``attar verify``. Does not know how parity is measured."""

from __future__ import annotations

import json
from pathlib import Path

import click

__all__ = ["command"]


@click.command("verify")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--threads", type=click.IntRange(min=1), help="Threads to compute with; by default all that are usable.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def command(bundle: Path, threads: int | None, as_json: bool) -> None:
    r"""Compare BUNDLE on this machine with what torch said when it was exported.

    Repeats the last rung of the export's ladder: stored prompts, torch's answers and logits at them. Exits with 1
    beyond the limits that the manifest records, with 5 where the bundle is broken or carries no references.

    \b
    Examples:
      attar verify runs/quickstart/bundle
      attar verify runs/quickstart/bundle --json
    """
    from ..verification import require_within, verify

    found = verify(bundle, threads=threads)
    if as_json:
        click.echo(json.dumps(found.to_dict()))
    else:
        here = found.parity
        click.echo(f"{found.form}, {found.graph} graph, {here.tokens} answer tokens on {found.threads} threads")
        click.echo(
            f"logit difference: largest {here.largest_logit_difference:.2g}, p99 {here.p99_logit_difference:.2g}"
        )
        click.echo(f"KL divergence: {here.divergence:.2g} nats")
        click.echo(
            f"same most likely token: {here.agreement:.2%} ({here.agreement_low:.2%} to {here.agreement_high:.2%})"
        )
        click.echo(f"same greedy answer: {here.greedy_equal:.1%}")
        if here.score is not None:
            click.echo(f"right answers: {here.score:.1%}, torch {here.reference_score:.1%}")
    require_within(found)
