"""What the torch models make of right answers, token by token, as one Markdown table. Does not measure anything."""

from __future__ import annotations

from collections.abc import Mapping

from .names import NAMES

__all__ = ["tokens_table"]


def tokens_table(tokens: Mapping[str, Mapping[str, float | None]]) -> str:
    """The table; models by name, each as :class:`~attar.pipeline.evaluation.tokens.TokenScores` gives it."""
    head = (
        "| right answers, token by token | nats a token | nats an answer | calibration error | same as teacher | KL |"
    )
    rows = [
        f"| {NAMES[name]} | {found['loss']:.3f} | {found['answer_loss']:.2f} | {found['calibration_error']:.1%} "
        f"| {_known(found['agreement'], '.1%')} | {_known(found['divergence'], '.3f')} |"
        for name, found in tokens.items()
    ]
    return "\n".join([head, "|---|---|---|---|---|---|", *rows])


def _known(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
