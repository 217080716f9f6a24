"""The ladder: torch, Optimum's graph, the fast graph, the quantized one; each rung is measured against torch.

A rung that is too far off ends it. Only the graph to ship is kept. Does not know bundles, or how forms are chosen.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from transformers import PreTrainedModel

from attar.runtime.bundle import GRAPH_FILE, Architecture
from attar.runtime.errors import ParityError, UsageError
from attar.runtime.parity import Parity
from attar.runtime.references import References

from ..config import ExportConfig
from ..progress import say
from .choosing import Chosen
from .fast import FORMS, build_fast
from .parity import measure_parity
from .quantize import BITS, quantize
from .reference import architecture_of, export_reference

__all__ = ["Ladder", "Made", "forms_of", "plan_of"]

_PORTABLE = {"int8-dynamic": "int8", "mixed": "int8", "mixed-dynamic": "int8", "int4-all": "int4"}
"""What Optimum's graph gets instead of forms that it does not have."""
_FEW_TOKENS = 256
"""Of the answers, for Optimum's graph where it is not the one to ship."""


@dataclass(frozen=True)
class Made:
    """The graph to ship.

    Attributes:
        graph: The ``.onnx`` file.
        contract: How it is driven.
        form: Its numeric form.
        architecture: The model's shape.
        parity: How far each rung is from torch, by its name.
        limits: What parity it was held to, as the manifest records it.
        choice: What was found of each form, where the form was chosen here.
        chosen: What this one was chosen for, then.
    """

    graph: Path
    contract: str
    form: str
    architecture: Architecture
    parity: dict[str, Any]
    limits: dict[str, float]
    choice: dict[str, Any] = field(default_factory=dict)
    chosen: Chosen | None = None


def plan_of(model: PreTrainedModel, graph: str, form: str, refusal: str | None) -> tuple[str, str]:
    """Which graph a model gets, and in which form: those that are asked for, or Optimum's where there is no fast one.

    Args:
        model: The model.
        graph: "fast" or "optimum".
        form: The numeric form.
        refusal: Why it has no fast graph; None where it has one.

    Raises:
        UsageError: Optimum's graph is asked for in a form that it does not have.
    """
    if graph == "optimum":
        if form in _PORTABLE:
            raise UsageError(
                f"Optimum's graph has no form {form}.", next_step="Leave out --graph, or choose --quantize int8."
            )
        return "optimum", form
    if refusal is None:
        return "fast", form
    portable, kind = _PORTABLE.get(form, form), model.config.model_type
    say(f"export: no fast graph for a {kind} model ({refusal}), so it gets Optimum's, in form {portable}")
    return "optimum", portable


def forms_of(contract: str) -> list[str]:
    """Every form that a graph of this contract has, fp32 first."""
    return list(FORMS) if contract == "fast" else ["none", *BITS]


class Ladder:
    """The rungs for one model.

    Args:
        model: In fp32.
        config: The limits.
        references: Torch's answers.
        scratch: Where graphs are made.
        moments: See :func:`~attar.pipeline.export.calibration.input_moments`.

    Attributes:
        architecture: The model's shape.
        parity: How far each rung is from torch, by its name.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        config: ExportConfig,
        references: References,
        scratch: Path,
        moments: Mapping[Any, NDArray[Any]] | None = None,
    ) -> None:
        self._model, self._config, self._references, self._scratch = model, config, references, scratch
        self._moments = moments
        self.architecture = architecture_of(model)
        self.parity: dict[str, Any] = {}

    def climb(self, contract: str, form: str) -> Made:
        """All rungs up to a graph in a form, as :func:`plan_of` gives them.

        Raises:
            ModelError: Optimum can't export the model, or the fast graph can't hold it.
            ParityError: A rung is further from torch than the config allows.
        """
        graph = self.exact(contract)
        if form != "none":
            exact, (graph, found) = graph, self.quantized(graph, contract, form)
            shutil.rmtree(exact.parent)
            self._require_close(form, found)
        return self.made(graph, contract, form)

    def exact(self, contract: str) -> Path:
        """The fp32 graph, which equals torch.

        Raises:
            ModelError: Optimum can't export the model, or the fast graph can't hold it.
            ParityError: A rung is further from torch than the config allows.
        """
        say("export: Optimum's graph")
        graph = export_reference(self._model, self._scratch / "optimum")
        references = self._references if contract == "optimum" else self._references.part(_FEW_TOKENS)
        self._require_equal("optimum", graph, references, "Optimum's graph")
        if contract == "fast":
            shutil.rmtree(graph.parent)
            say("export: the fast graph")
            graph = build_fast(self._model, self._place("fast"), "none")
            self._require_equal("fast", graph, self._references, "The fast graph")
        return graph

    def quantized(self, exact: Path, contract: str, form: str) -> tuple[Path, Parity]:
        """A graph in another form, and how far it is from torch."""
        say(f"export: {form}")
        graph = self._place(form)
        if contract == "fast":
            build_fast(self._model, graph, form, self._moments)
        else:
            quantize(exact, graph, form, self.architecture.vocabulary_size)
        return graph, self._measure(form, graph, contract, self._references)

    def made(
        self,
        graph: Path,
        contract: str,
        form: str,
        choice: dict[str, Any] | None = None,
        chosen: Chosen | None = None,
    ) -> Made:
        """The graph to ship, with what is known of it."""
        limits = {"min_agreement": self._config.min_agreement, "max_score_loss": self._config.max_score_loss}
        if form == "none":
            limits = {"max_logit_difference": self._config.max_logit_difference, "min_greedy_equal": 1.0}
        elif choice:  # it may have passed by its answers, so agreement is held to what it was here
            limits = {"min_agreement": min(self._config.min_agreement, self.parity[form]["agreement"])}
        return Made(graph, contract, form, self.architecture, self.parity, limits, choice or {}, chosen)

    def _place(self, name: str) -> Path:
        (self._scratch / name).mkdir()
        return self._scratch / name / GRAPH_FILE

    def _require_equal(self, rung: str, graph: Path, references: References, what: str) -> None:
        found, limit = self._measure(rung, graph, rung, references), self._config.max_logit_difference
        if not (found.largest_logit_difference <= limit and found.greedy_equal == 1.0):
            raise _disagree(what, found, f"at most {limit} in any logit and the same greedy tokens")

    def _require_close(self, form: str, found: Parity) -> None:
        """Refuse what is beyond a limit with the whole of its 95 % interval."""
        least, most = self._config.min_agreement, self._config.max_score_loss
        if not found.agreement_high >= least:
            wanted = f"the same most likely token at {least:.1%} of the answers' tokens"
            raise _disagree(f"The {form} graph", found, wanted)
        if found.score_loss_low is not None and not found.score_loss_low <= most:
            raise _disagree(f"The {form} graph", found, f"at most {100 * most:.2g} points fewer right answers")

    def _measure(self, rung: str, graph: Path, contract: str, references: References) -> Parity:
        say(f"export: compare {rung} with torch, {references.tokens} answer tokens")
        form = "none" if rung == contract else rung
        found = measure_parity(graph, contract, self.architecture, references, form)
        self.parity[rung] = found.to_dict()
        return found


def _disagree(what: str, found: Parity, wanted: str) -> ParityError:
    scores = ""
    if found.score is not None:
        scores = f", right answers {found.score:.1%} of torch's {found.reference_score:.1%}"
    return ParityError(
        f"{what} and torch disagree.",
        why=f"Wanted {wanted}; found a logit difference of {found.largest_logit_difference:.2g}, agreement "
        f"{found.agreement:.1%} ({found.agreement_low:.1%} to {found.agreement_high:.1%}), equal greedy answers "
        f"{found.greedy_equal:.1%}{scores}, over {found.tokens} tokens.",
        next_step="Quantize less (--quantize int8 or none), or change the limit in the config's export section.",
    )
