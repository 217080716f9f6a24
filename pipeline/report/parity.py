"""The ladder as Markdown: how far each graph is from torch. Does not know how it was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["parity_lines"]


def parity_lines(parity: Mapping[str, Mapping[str, Any]]) -> Sequence[str]:
    """A table of the rungs that a manifest records, and what its figures are."""
    return [
        "| graph | tokens | same most likely token (95 % interval) | KL, nats | logit difference, p99 | largest "
        "| right answers | torch's | same greedy answer |",
        "|---|---|---|---|---|---|---|---|---|",
        *(_row(name, found) for name, found in parity.items()),
        "",
        "Each graph read held-out samples, and training samples where those have too few tokens, as torch did, and is "
        "compared at the tokens of their right answers; an answer is right that greedy decoding would give token for "
        "token. Greedy answers are the model's own, up to 64 tokens.",
    ]


def _row(name: str, found: Mapping[str, Any]) -> str:
    interval = ""
    if "agreement_low" in found:  # a bundle of an earlier format has no interval
        interval = f" ({found['agreement_low']:.2%} to {found['agreement_high']:.2%})"
    return (
        f"| {name} | {found['tokens']:,} | {found['agreement']:.2%}{interval} | {found['divergence']:.2g} "
        f"| {found['p99_logit_difference']:.2g} | {found['largest_logit_difference']:.2g} "
        f"| {_share(found.get('score'))} | {_share(found.get('reference_score'))} | {found['greedy_equal']:.1%} |"
    )


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"
