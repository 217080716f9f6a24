"""``attar verify``. Does not know how parity is measured."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..verification import Verification

__all__ = ["command"]


@click.command("verify")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--threads", type=click.IntRange(min=1), help="Threads to compute with; by default all that are usable.")
@click.option("--use", help="Only the form for this use, such as throughput; by default every form.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def command(bundle: Path, threads: int | None, use: str | None, as_json: bool) -> None:
    """Compare BUNDLE on this machine with what torch said when it was exported.

    Repeats the last rung of the export's ladder: stored prompts, torch's answers and logits at them, or stored texts
    and torch's embeddings of them; for every form that the bundle holds. Exits with 1
    beyond the limits that the manifest records, with 5 where the bundle is broken or carries no references.

    \b
    Examples:
      attar verify runs/quickstart/bundle
      attar verify runs/quickstart/bundle --json
    """
    from ..verification import require_within, verify, verify_forms

    forms = verify_forms(bundle, threads=threads) if use is None else [verify(bundle, threads=threads, use=use)]
    if as_json:
        found = [form.to_dict() for form in forms]
        click.echo(json.dumps({"forms": found} if len(found) > 1 else found[0]))
    else:
        click.echo("\n\n".join("\n".join(_lines(form)) for form in forms))
    for form in forms:
        require_within(form)


def _lines(found: Verification) -> Iterator[str]:
    from ..forms import listed
    from ..similarity import Similarity

    uses = f" for {listed(found.uses)}" if found.uses else ""
    here, what = found.parity, f"{found.form}{uses}, {found.graph} graph"
    if isinstance(here, Similarity):
        yield f"{what}, {here.texts} texts on {found.threads} threads"
        yield f"cosine with torch: mean {here.mean_cosine:.4f}, least {here.least_cosine:.4f}"
        yield f"difference: largest {here.largest_difference:.2g}"
        yield f"change of two texts' cosine: largest {here.largest_similarity_change:.2g}"
        return
    yield f"{what}, {here.tokens} answer tokens on {found.threads} threads"
    yield f"logit difference: largest {here.largest_logit_difference:.2g}, p99 {here.p99_logit_difference:.2g}"
    yield f"KL divergence: {here.divergence:.2g} nats"
    yield f"same most likely token: {here.agreement:.2%} ({here.agreement_low:.2%} to {here.agreement_high:.2%})"
    yield f"same greedy answer: {here.greedy_equal:.1%}"
    if here.score is not None:
        yield f"right answers: {here.score:.1%}, torch {here.reference_score:.1%}"
