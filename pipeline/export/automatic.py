"""The form that chooses itself: every form of the graph made, held to the gate, timed, and the best shipped.

Does not know what forms do, or bundles.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from attar.runtime.limits import available_threads

from ..progress import say
from ..versions import this_machine
from .choosing import Candidate, Chosen, Work, choose, joined, measure_speed
from .ladder import Made, forms_of

__all__ = ["Gate", "Rungs", "climb_to_best", "size_of"]


class Rungs(Protocol):
    """The ladder of a model, such as :class:`~attar.pipeline.export.ladder.Ladder`."""

    def exact(self, contract: str) -> Path:
        """The fp32 graph, which equals torch."""

    def quantized(self, exact: Path, contract: str, form: str) -> tuple[Path, Any]:
        """A graph in another form, and how far it is from torch."""

    def made(
        self, graph: Path, contract: str, form: str, choice: dict[str, Any] | None = None, chosen: Chosen | None = None
    ) -> Made:
        """The graph to ship, with what is known of it."""


class Gate(Protocol):
    """What forms of a model must not lose, and what they are timed with."""

    def exact(self, graph: Path) -> Candidate:
        """The fp32 form, which comes first; what it can do is what others may lose some of."""

    def judged(self, form: str, graph: Path, parity: Any, exact: Candidate) -> Candidate:
        """Another form, and why it is refused, where it is."""

    def work(self, form: str, graph: Path) -> Work:
        """The form, loaded, with what it is timed with."""

    def described(self, found: Candidate) -> str:
        """How good and how fast a form is, in words."""

    def to_dict(self) -> dict[str, Any]:
        """For the manifest: the limits, and how long what was timed is."""


def climb_to_best(ladder: Rungs, contract: str, gate: Gate, wanted: str | Sequence[str]) -> list[Made]:
    """The graph in the form that is best here for each use that is wanted, each form once.

    Raises:
        ModelError: Optimum can't export the model, or the fast graph can't hold it.
        ParityError: An fp32 graph is further from torch than is allowed.
    """
    graphs = {"none": ladder.exact(contract)}
    found = [gate.exact(graphs["none"])]
    for form in forms_of(contract)[1:]:
        graphs[form], parity = ladder.quantized(graphs["none"], contract, form)
        found.append(gate.judged(form, graphs[form], parity, found[0]))
    found = measure_speed(found, {form: gate.work(form, graph) for form, graph in graphs.items()})
    for each in found:
        say(f"export: {each.form}: {each.size / 1e6:.1f} MB, {gate.described(each)}")
    chosen = choose(found, [wanted] if isinstance(wanted, str) else wanted)
    for form in graphs.keys() - {each.form for each in chosen}:
        shutil.rmtree(graphs[form].parent)
    choice = {"wanted": wanted, **gate.to_dict(), **_choice(found, chosen)}
    return [ladder.made(graphs[each.form], contract, each.form, choice, each) for each in chosen]


def size_of(graph: Path) -> int:
    """Bytes of a graph and its weights, which stand in a folder of their own."""
    return sum(file.stat().st_size for file in graph.parent.iterdir())


def _choice(found: Sequence[Candidate], chosen: Sequence[Chosen]) -> dict[str, Any]:
    """What the manifest tells of every form, and why those that are not kept are not."""
    kept = {each.form for each in chosen}
    return {
        "machine": {**this_machine(), "threads": available_threads()},
        "candidates": {each.form: each.to_dict() for each in found},
        "rejected": {
            each.form: joined(one.rejected[each.form] for one in chosen) for each in found if each.form not in kept
        },
    }
