"""The results of a run as one Markdown table, the same in the terminal, the card and the README."""

from __future__ import annotations

from .results import Report

__all__ = ["results_table"]

_NAMES = {
    "teacher": "teacher as it came",
    "corrected_teacher": "corrected teacher",
    "student": "student",
    "quantized": "student in the bundle",
}


def results_table(report: Report) -> str:
    """Quality of each variant, then the cost of the torch teacher and of the bundle."""
    quality = [
        f"| {_NAMES[name]} | {scores['exact_match']:.1%} | {scores['value_match']:.1%} | {scores['n']:.0f} |"
        for name, scores in report.scores.items()
    ]
    theirs, ours, ratios = report.costs["teacher"], report.costs["bundle"], report.ratios
    cost = [
        _row("size, MB", theirs["size_bytes"] / 1e6, ours["size_bytes"] / 1e6, ratios["size"]),
        _row("peak memory, MB", theirs["peak_memory_bytes"] / 1e6, ours["peak_memory_bytes"] / 1e6, ratios["memory"]),
        _row(
            "first token, ms",
            theirs["first_token_seconds"] * 1e3,
            ours["first_token_seconds"] * 1e3,
            ratios["first_token"],
        ),
        _row(
            "decode, tokens/s",
            theirs["decode_tokens_per_second"],
            ours["decode_tokens_per_second"],
            ratios["decode"],
        ),
    ]
    return "\n".join(
        [
            "| held-out questions | exact match | value match | n |",
            "|---|---|---|---|",
            *quality,
            "",
            "| cost | torch teacher | bundle | times better |",
            "|---|---|---|---|",
            *cost,
            "",
            f"The student has {ratios['parameters']:.1%} of the teacher's parameters.",
        ]
    )


def _row(name: str, theirs: float, ours: float, ratio: float) -> str:
    return f"| {name} | {theirs:,.0f} | {ours:,.0f} | {ratio:.1f} |"
