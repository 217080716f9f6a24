"""The verdicts in words and as tables by question kind, in Markdown. Does not judge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["baseline_text", "baseline_warning", "rounding_text", "verdict_text"]

_SAYS = {
    "BEATS": "is better than",
    "HOLDS": "holds, within 2 points, what was reached by",
    "LOSES": "is worse than",
    "INCONCLUSIVE": "can't be told from",
}
_BASELINE = "plain fine-tuning of the same body"


def verdict_text(verdict: Mapping[str, Any]) -> str:
    """The bundle against the corrected teacher: the word and what it rests on, then the kinds."""
    lines = [_sentence(verdict, "the student in the bundle", "the corrected teacher")]
    lines += _kinds(verdict["kinds"], ("corrected_teacher", "corrected teacher"), ("quantized", "bundle"))
    if verdict["weak"]:
        lines += ["", f"Below 80 % of the corrected teacher's exact match: {', '.join(verdict['weak'])}."]
    return "\n".join(lines)


def rounding_text(rounding: Mapping[str, Any]) -> str:
    """The bundle against the torch student: what its numeric form cost."""
    return (
        f"The bundle's form changed the fp32 student's exact match by {_points(rounding['difference'])} points: of "
        f"{rounding['n']} questions {rounding['gained']} became right and {rounding['lost']} wrong."
    )


def baseline_text(baseline: Mapping[str, Any]) -> str:
    """The student against the baseline: the word, what the budget was, then the kinds."""
    seconds = baseline["seconds"]
    lines = [
        f"{_sentence(baseline['verdict'], 'the student', _BASELINE)} Both took {baseline['steps']:,} optimizer steps "
        f"on the same batches, the baseline's at a peak rate of {baseline['learning_rate']:g}; with its scoring the "
        f"student's training took {seconds['student']:,.0f} s, the baseline's {seconds['baseline']:,.0f} s.",
        *_kinds(baseline["verdict"]["kinds"], ("baseline", "fine-tuned baseline"), ("student", "student")),
    ]
    return "\n".join(lines)


def baseline_warning(baseline: Mapping[str, Any], correction_steps: int) -> str | None:
    """What to say where the teacher is not clearly better than the baseline; None where it is.

    Args:
        baseline: With the corrected teacher's verdict against it.
        correction_steps: How long the teacher was corrected.
    """
    found = baseline["teacher"]
    if found["word"] == "BEATS":
        return None
    how = "is not better than" if found["difference"]["value"] <= 0 else "can't be told to be better than"
    ours, theirs = (f"{found[side]['value']:.1%}" for side in ("ours", "theirs"))
    correct = "correct it longer" if correction_steps else "correct it first"
    return (
        f"The corrected teacher {how} {_BASELINE} (exact match {ours} against {theirs}, difference "
        f"{_points(found['difference'])} points), so there is little that it could teach. What to do: {correct} "
        f"(distillation.correction.steps, now {correction_steps}), or take a larger teacher; where both are near "
        "100 %, take a smaller student or ask harder questions (data.kinds)."
    )


def _sentence(verdict: Mapping[str, Any], ours: str, theirs: str) -> str:
    return (
        f"**{verdict['word']}**: {ours} {_SAYS[verdict['word']]} {theirs}. "
        f"Difference in exact match {100 * verdict['difference']['value']:+.1f} points "
        f"({100 * verdict['difference']['low']:+.1f} to {100 * verdict['difference']['high']:+.1f}), "
        f"right where the other is wrong {verdict['gained']} and {verdict['lost']} times of {verdict['n']} "
        f"(exact McNemar p = {verdict['p_value']:.2g})."
    )


def _kinds(kinds: Mapping[str, Mapping[str, Any]], theirs: tuple[str, str], ours: tuple[str, str]) -> list[str]:
    """A table of the kinds where there are several, and one of summaries; each model by its key and its title."""
    tables = [_kinds_table(kinds, theirs[1], ours[1])] if len(kinds) > 1 else []
    tables += [_facts_table(kinds, theirs, ours)] if any("facts" in kind for kind in kinds.values()) else []
    return [line for table in tables for line in ("", table)]


def _kinds_table(kinds: Mapping[str, Mapping[str, Any]], theirs: str, ours: str) -> str:
    rows = [
        f"| {name} | {_share(kind['theirs'])} | {_share(kind['ours'])} | {_points(kind['difference'])} "
        f"| {kind['word']} | {kind['n']} |"
        for name, kind in kinds.items()
    ]
    head = f"| kind, exact match (95 % interval) | {theirs} | {ours} | difference | verdict | n |"
    return "\n".join([head, "|---|---|---|---|---|---|", *rows])


def _facts_table(kinds: Mapping[str, Mapping[str, Any]], theirs: tuple[str, str], ours: tuple[str, str]) -> str:
    rows = [
        f"| {name} | {_kept(kind['facts'][theirs[0]])} | {_kept(kind['facts'][ours[0]])} |"
        for name, kind in kinds.items()
        if "facts" in kind
    ]
    return "\n".join([f"| facts kept / invented | {theirs[1]} | {ours[1]} |", "|---|---|---|", *rows])


def _share(interval: Mapping[str, float]) -> str:
    return f"{interval['value']:.1%} ({100 * interval['low']:.1f} to {100 * interval['high']:.1f})"


def _points(interval: Mapping[str, float]) -> str:
    return f"{100 * interval['value']:+.1f} ({100 * interval['low']:+.1f} to {100 * interval['high']:+.1f})"


def _kept(facts: Mapping[str, float]) -> str:
    return f"{facts['kept']:.1%} / {facts['invented']:.1%}"
