"""The verdict in words and as a table by question kind, in Markdown. Does not judge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["verdict_text"]

_SAYS = {
    "BEATS": "is better than",
    "HOLDS": "holds, within 2 points, what was reached by",
    "LOSES": "is worse than",
    "INCONCLUSIVE": "can't be told from",
}


def verdict_text(verdict: Mapping[str, Any]) -> str:
    """The word and what it rests on, a table of the kinds where there are several, and which of them are weak."""
    low, high = (f"{100 * verdict['difference'][end]:+.1f}" for end in ("low", "high"))
    lines = [
        f"**{verdict['word']}**: the student in the bundle {_SAYS[verdict['word']]} the corrected teacher. "
        f"Difference in exact match {100 * verdict['difference']['value']:+.1f} points ({low} to {high}), "
        f"right where the other is wrong {verdict['gained']} and {verdict['lost']} times of {verdict['n']} "
        f"(exact McNemar p = {verdict['p_value']:.2g})."
    ]
    if len(verdict["kinds"]) > 1:
        lines += ["", _kinds_table(verdict["kinds"])]
    if facts := _facts_table(verdict["kinds"]):
        lines += ["", facts]
    if verdict["weak"]:
        lines += ["", f"Below 80 % of the corrected teacher's exact match: {', '.join(verdict['weak'])}."]
    return "\n".join(lines)


def _kinds_table(kinds: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [
        f"| {name} | {_share(kind['theirs'])} | {_share(kind['ours'])} | {_points(kind['difference'])} "
        f"| {kind['word']} | {kind['n']} |"
        for name, kind in kinds.items()
    ]
    head = "| kind, exact match (95 % interval) | corrected teacher | bundle | difference | verdict | n |"
    return "\n".join([head, "|---|---|---|---|---|---|", *rows])


def _facts_table(kinds: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [
        f"| {name} | {_kept(kind['facts']['corrected_teacher'])} | {_kept(kind['facts']['quantized'])} |"
        for name, kind in kinds.items()
        if "facts" in kind
    ]
    return "\n".join(["| facts kept / invented | corrected teacher | bundle |", "|---|---|---|", *rows]) if rows else ""


def _share(interval: Mapping[str, float]) -> str:
    return f"{interval['value']:.1%} ({100 * interval['low']:.1f} to {100 * interval['high']:.1f})"


def _points(interval: Mapping[str, float]) -> str:
    return f"{100 * interval['value']:+.1f} ({100 * interval['low']:+.1f} to {100 * interval['high']:+.1f})"


def _kept(facts: Mapping[str, float]) -> str:
    return f"{facts['kept']:.1%} / {facts['invented']:.1%}"
