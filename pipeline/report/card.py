"""The model card: what a bundle is, what it was made of, what it is worth, in Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attar.runtime.bundle import Manifest

from .forms import forms_lines, weights_text
from .parity import parity_lines
from .plot import PLOT
from .results import Report
from .table import results_table

__all__ = ["model_card"]

_HELD_OUT = {
    "grounded": "Grounded: held-out questions are about entities that training never saw, in forms of question that "
    "training never saw; the record stands in the prompt.",
    "closed_book": "Closed book: no record stands in the prompt; held-out questions ask, in forms that training "
    "never saw, for facts that it saw in others, and about entities that it never saw, where abstaining is right.",
    "given": "Given: questions and answers as the tables hold them; held-out questions are none of training's.",
}
"""Mode to what its held-out questions are."""
_TOKENS = (
    " Token by token, the torch models read each right answer after the right tokens before it: negative "
    "log-likelihood; expected calibration error of the most likely token's probability, 15 bins of equal width; "
    "share of tokens in which the most likely one is the corrected teacher's; KL divergence from the teacher in "
    "nats a token."
)


def model_card(manifest: Manifest, report: Report) -> str:
    """The card of a run's bundle; every figure comes from the manifest or the report."""
    shape, lineage = manifest.architecture, manifest.lineage
    return "\n".join(
        [
            f"# {report.run.name}",
            "",
            f"A {shape.model_type} model of {shape.parameters / 1e6:.1f}M parameters in {shape.layers} layers and "
            f"{shape.vocabulary_size:,} tokens, weights {weights_text(manifest)}, distilled from {lineage['teacher']} "
            f"({lineage['teacher_parameters'] / 1e6:.1f}M).{_finished(lineage)}",
            "",
            "## What it is worth",
            "",
            results_table(report),
            "",
            *([f"![Exact match by question kind, with 95 % intervals]({PLOT})", ""] if report.verdict else []),
            f"{_held_out(lineage)} Exact match: equal after NFKC, case folding, collapsed "
            "spaces and no final period; calls of tools, in name and arguments. Value match: the value stands in the "
            "answer. Costs are medians of fresh "
            "processes that took turns, answer by answer; memory is the process's peak resident set (VmHWM). Where "
            "the machine's noise shows, the 95 % interval stands beside a ratio."
            f"{_TOKENS if report.tokens else ''}",
            "",
            *forms_lines(manifest),
            "## Parity with torch",
            "",
            *parity_lines(manifest.parity),
            "",
            "## Data and licenses",
            "",
            f"{lineage['samples']['train']:,} training samples, {lineage['samples']['test']:,} held out.",
            "",
            f"- teacher: {manifest.licenses['teacher']}",
            *(f"- {label}: {terms}" for label, terms in manifest.licenses["data"].items()),
            "",
        ]
    )


def _held_out(lineage: Mapping[str, Any]) -> str:
    """What the scores are about, for each mode of the samples."""
    modes = lineage.get("modes", ("grounded",))
    return " ".join(text for mode, text in _HELD_OUT.items() if mode in modes)


def _finished(lineage: Mapping[str, Any]) -> str:
    """How the student was made ready for its form, where it was."""
    found = lineage.get("finish")
    return f" Its last {found['steps']:,} steps saw the weights as {found['form']} rounds them." if found else ""
