"""The results of a run as one Markdown table, the same in the terminal, the card and the README."""

from __future__ import annotations

from .costs import costs_table
from .results import Report
from .verdict import verdict_text

__all__ = ["results_table"]

_NAMES = {
    "teacher": "teacher as it came",
    "corrected_teacher": "corrected teacher",
    "student": "student",
    "quantized": "student in the bundle",
}


def results_table(report: Report) -> str:
    """Quality of each variant and the verdict, then the cost of the torch teacher and of the bundle."""
    quality = [
        f"| {_NAMES[name]} | {scores['exact_match']:.1%} | {scores['value_match']:.1%} | {scores['n']:.0f} |"
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
            cost,
            "",
            f"The student has {report.ratios['parameters']:.1%} of the teacher's parameters.",
        ]
    )
