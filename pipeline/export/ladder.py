"""The ladder: torch, Optimum's graph, the fast graph, the quantized one; each rung is measured against torch.

A rung that is too far off ends it. Only the last graph is kept. Does not know bundles.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import PreTrainedModel

from attar.runtime.bundle import GRAPH_FILE, Architecture
from attar.runtime.errors import ParityError, UsageError

from ..config import ExportConfig
from ..progress import say
from .fast import build_fast, refusal
from .parity import Parity, ReferenceAnswer, measure_parity
from .quantize import quantize
from .reference import architecture_of, export_reference

__all__ = ["Ladder", "Made", "plan_of"]

_PORTABLE = {"int8-dynamic": "int8", "mixed": "int8", "mixed-dynamic": "int8", "int4-all": "int4"}
"""What Optimum's graph gets instead of forms that it does not have."""


@dataclass(frozen=True)
class Made:
    """The graph to ship.

    Attributes:
        graph: The ``.onnx`` file.
        contract: How it is driven.
        form: Its numeric form.
        architecture: The model's shape.
        parity: How far each rung is from torch, by its name.
    """

    graph: Path
    contract: str
    form: str
    architecture: Architecture
    parity: dict[str, Any]


def plan_of(model: PreTrainedModel, config: ExportConfig) -> tuple[str, str]:
    """Which graph a model gets, and in which form: those that are asked for, or Optimum's where there is no fast one.

    Raises:
        UsageError: Optimum's graph is asked for in a form that it does not have.
    """
    form = config.quantize
    if config.graph == "optimum":
        if form in _PORTABLE:
            raise UsageError(
                f"Optimum's graph has no form {form}.", next_step="Leave out --graph, or choose --quantize int8."
            )
        return "optimum", form
    why = refusal(model.config)
    if why is None:
        return "fast", form
    portable = _PORTABLE.get(form, form)
    say(
        f"export: no fast graph for a {model.config.model_type} model ({why}), so it gets Optimum's, in form {portable}"
    )
    return "optimum", portable


class Ladder:
    """The rungs for one model.

    Args:
        model: In fp32.
        config: The limits.
        references: Torch's answers.
        scratch: Where graphs are made.
    """

    def __init__(
        self, model: PreTrainedModel, config: ExportConfig, references: Sequence[ReferenceAnswer], scratch: Path
    ) -> None:
        self._model, self._config, self._references, self._scratch = model, config, references, scratch
        self._architecture = architecture_of(model)
        self._parity: dict[str, Any] = {}

    def climb(self, contract: str, form: str) -> Made:
        """All rungs up to a graph in a form, as :func:`plan_of` gives them.

        Raises:
            ModelError: Optimum can't export the model, or the fast graph can't hold it.
            ParityError: A rung is further from torch than the config allows.
        """
        say("export: Optimum's graph")
        graph = export_reference(self._model, self._scratch / "optimum")
        self._require_equal("optimum", graph, "optimum", "Optimum's graph")
        if contract == "fast":
            shutil.rmtree(graph.parent)
            say("export: the fast graph")
            graph = build_fast(self._model, self._place("fast"), "none")
            self._require_equal("fast", graph, "fast", "The fast graph")
        if form != "none":
            say(f"export: {form}")
            quantized = self._place(form)
            if contract == "fast":
                build_fast(self._model, quantized, form)
            else:
                quantize(graph, quantized, form, self._architecture.vocabulary_size)
            shutil.rmtree(graph.parent)
            graph = quantized
            self._require_close(form, graph, contract)
        return Made(graph, contract, form, self._architecture, self._parity)

    def _place(self, name: str) -> Path:
        (self._scratch / name).mkdir()
        return self._scratch / name / GRAPH_FILE

    def _require_equal(self, rung: str, graph: Path, contract: str, what: str) -> None:
        found, limit = self._measure(rung, graph, contract), self._config.max_logit_difference
        if not (found.largest_logit_difference <= limit and found.greedy_equal == 1.0):
            raise _disagree(what, found, f"at most {limit} in any logit and the same greedy tokens")

    def _require_close(self, form: str, graph: Path, contract: str) -> None:
        found, limit = self._measure(form, graph, contract), self._config.min_agreement
        if not found.agreement >= limit:
            wanted = f"the same most likely token at {limit:.1%} of the answers' tokens"
            raise _disagree(f"The {form} graph", found, wanted)

    def _measure(self, rung: str, graph: Path, contract: str) -> Parity:
        found = measure_parity(graph, contract, self._architecture, self._references)
        self._parity[rung] = found.to_dict()
        return found


def _disagree(what: str, found: Parity, wanted: str) -> ParityError:
    return ParityError(
        f"{what} and torch disagree.",
        why=f"Wanted {wanted}; found a logit difference of {found.largest_logit_difference:.2g}, agreement "
        f"{found.agreement:.1%}, equal greedy answers {found.greedy_equal:.1%}, over {found.tokens} tokens.",
        next_step="Quantize less (--quantize int8 or none), or change the limit in the config's export section.",
    )
