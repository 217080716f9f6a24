"""The results of a run as one Markdown table, the same in the terminal, the card and the README."""

from __future__ import annotations

from .costs import costs_table
from .names import NAMES
from .results import Report
from .tokens import tokens_table
from .verdict import baseline_text, rounding_text, verdict_text

__all__ = ["results_table"]


def results_table(report: Report) -> str:
    """Quality of each variant and the verdicts, then the cost of the torch teacher and of the bundle."""
    quality = [
        f"| {NAMES[name]} | {scores['exact_match']:.1%} | {scores['value_match']:.1%} | {scores['n']:.0f} |"
        for name, scores in report.scores.items()
    ]
    cost = costs_table(
        {"torch teacher": report.costs["teacher"], "bundle": report.costs["bundle"]}, report.ratios, report.intervals
    )
    return "\n".join(
        [
            "| held-out questions | exact match | value match | n |",
            "|---|---|---|---|",
            *quality,
            "",
            *([verdict_text(report.verdict), ""] if report.verdict else []),
            *([rounding_text(report.rounding), ""] if report.rounding else []),
            *([baseline_text(report.baseline), ""] if report.baseline else []),
            *(line for warning in report.warnings for line in (f"**Warning.** {warning}", "")),
            *([tokens_table(report.tokens), ""] if report.tokens else []),
            cost,
            "",
            f"The student has {report.ratios['parameters']:.1%} of the teacher's parameters.",
        ]
    )
