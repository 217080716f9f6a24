"""The forms of a bundle as Markdown: what each is for, what it weighs, and what was measured when it was chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attar.runtime.bundle import Manifest
from attar.runtime.forms import Form, listed, shared_files

__all__ = ["forms_lines", "weights_text"]


def weights_text(manifest: Manifest) -> str:
    """The numeric forms in a few words: "int8", or "int8 for latency and mixed for throughput"."""
    if not manifest.forms:
        return manifest.quantization
    return listed([f"{form.quantization} for {listed(form.uses)}" for form in manifest.forms])


def forms_lines(manifest: Manifest) -> Sequence[str]:
    """A section on the forms, where there are several."""
    if not manifest.forms:
        return []
    shared = sum(manifest.files[name]["size"] for name in shared_files(manifest.forms))
    found = manifest.choice.get("candidates", {})
    return [
        "## Forms",
        "",
        "| form | best for | files, MB | same most likely token | exact match | one question, ms "
        "| eight at once, tokens/s |",
        "|---|---|---|---|---|---|---|",
        *(_row(form, found.get(form.quantization, {})) for form in manifest.forms),
        "",
        f"They share {shared / 1e6:.1f} MB of weights, which are alike bit for bit, and every file that is no graph. "
        f"The first is opened where no use is named; scores and costs above are its own. These figures are those by "
        "which the forms were chosen, on the machine that exported them.",
        "",
    ]


def _row(form: Form, found: Mapping[str, Any]) -> str:
    score = found.get("exact_match")
    figures = [
        form.quantization,
        listed(form.uses),
        f"{form.size / 1e6:.1f}",
        f"{found['agreement']:.2%}" if found else "",
        "" if score is None else f"{score:.1%}",
        f"{1000 * found['seconds']:.1f}" if found else "",
        f"{found['tokens_per_second']:.0f}" if found else "",
    ]
    return f"| {' | '.join(figures)} |"
