"""The form that chooses itself: every form of the graph made, held to the gate, timed, and the best shipped.

Does not know bundles.
"""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from attar.runtime.limits import available_threads
from attar.runtime.references import References

from ..config import ExportConfig
from ..progress import say
from ..versions import this_machine
from .choosing import Candidate, Chosen, Trial, Work, choose, joined, measure_speed, score_of
from .ladder import Ladder, Made, forms_of

__all__ = ["climb_to_best"]


def climb_to_best(
    ladder: Ladder,
    contract: str,
    config: ExportConfig,
    references: References,
    trial: Trial | None,
    stops: Collection[int],
) -> list[Made]:
    """The graph in the form that is best here for each use that is wanted, each form once.

    The gate is the score on the trial's questions, or agreement with torch where there are none.

    Raises:
        ModelError: Optimum can't export the model, or the fast graph can't hold it.
        ParityError: An fp32 graph is further from torch than the config allows.
    """
    graphs = {"none": ladder.exact(contract)}
    found = [Candidate("none", _size(graphs["none"]), 1.0)]
    lengths = [len(answer.ids) for answer in references.answers]
    if trial:
        score, lengths = score_of(graphs["none"], contract, ladder.architecture, trial, stops, "none")
        found = [replace(found[0], exact_match=score)]
    for form in forms_of(contract)[1:]:
        graphs[form], parity = ladder.quantized(graphs["none"], contract, form)
        candidate = Candidate(form, _size(graphs[form]), parity.agreement)
        if trial:
            score, _ = score_of(graphs[form], contract, ladder.architecture, trial, stops, form)
            candidate = replace(candidate, exact_match=score)
        found.append(replace(candidate, refused=_refusal(candidate, found[0], config)))
    prompts = sorted(trial.prompts if trial else [answer.prompt for answer in references.answers], key=len)
    work = Work(prompts[len(prompts) // 2], max(2, round(statistics.median(lengths))))
    found = measure_speed(found, graphs, contract, ladder.architecture, work)
    for each in found:
        say(f"export: {_described(each)}")
    chosen = choose(found, config.uses)
    for form in graphs.keys() - {each.form for each in chosen}:
        shutil.rmtree(graphs[form].parent)
    choice = _choice(config, found, chosen, work, len(trial.prompts) if trial else 0)
    return [ladder.made(graphs[each.form], contract, each.form, choice, each) for each in chosen]


def _refusal(candidate: Candidate, exact: Candidate, config: ExportConfig) -> str | None:
    """Why a form does not pass the gate; None where it does."""
    if candidate.exact_match is not None and exact.exact_match is not None:
        lost = exact.exact_match - candidate.exact_match
        if lost > config.max_score_loss + 1e-9:
            return f"exact match {candidate.exact_match:.1%}, {100 * lost:.1f} points below fp32"
        return None
    if not candidate.agreement >= config.min_agreement:
        return f"torch's most likely token at {candidate.agreement:.1%} of the answers' tokens only"
    return None


def _choice(
    config: ExportConfig, found: Sequence[Candidate], chosen: Sequence[Chosen], work: Work, questions: int
) -> dict[str, Any]:
    """What the manifest tells of how forms were chosen."""
    kept = {each.form for each in chosen}
    rejected = {each.form: joined(one.rejected[each.form] for one in chosen) for each in found if each.form not in kept}
    return {
        "wanted": config.wanted,
        "gate": {"max_score_loss": config.max_score_loss, "questions": questions}
        if questions
        else {"min_agreement": config.min_agreement},
        "machine": {**this_machine(), "threads": available_threads()},
        "prompt_tokens": len(work.prompt),
        "answer_tokens": work.answer_tokens,
        "candidates": {each.form: each.to_dict() for each in found},
        "rejected": rejected,
    }


def _described(candidate: Candidate) -> str:
    score = "" if candidate.exact_match is None else f", {candidate.exact_match:.1%} exact"
    return (
        f"{candidate.form}: {candidate.size / 1e6:.1f} MB, {1000 * candidate.seconds:.1f} ms a question, "
        f"{candidate.tokens_per_second:.0f} tokens/s of eight at once, {candidate.agreement:.1%} as torch{score}"
    )


def _size(graph: Path) -> int:
    return sum(file.stat().st_size for file in graph.parent.iterdir())
