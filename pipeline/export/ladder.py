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
from attar.runtime.errors import ModelError, ParityError, UsageError

from ..config import ExportConfig
from ..progress import say
from .fast import build_fast, refusal
from .parity import Parity, ReferenceAnswer, measure_parity
from .quantize import BITS, quantize
from .reference import architecture_of, export_reference

__all__ = ["Ladder", "Made", "contract_of"]


@dataclass(frozen=True)
class Made:
    """The graph to ship.

    Attributes:
        graph: The ``.onnx`` file.
        contract: How it is driven.
        architecture: The model's shape.
        parity: How far each rung is from torch, by its name.
    """

    graph: Path
    contract: str
    architecture: Architecture
    parity: dict[str, Any]


def contract_of(model: PreTrainedModel, config: ExportConfig) -> str:
    """Which graph a model gets: the one that is asked for, or Optimum's where there is no fast one.

    Raises:
        ModelError: There is no fast graph of the model, and Optimum's has no such form.
        UsageError: Optimum's graph is asked for in a form that it does not have.
    """
    portable = config.quantize in {"none", *BITS}
    advice = "Choose --quantize int8, int4 or none."
    if config.graph == "optimum":
        if not portable:
            raise UsageError(f"Optimum's graph has no form {config.quantize}.", next_step=advice)
        return "optimum"
    why = refusal(model.config)
    if why is None:
        return "fast"
    what = f"A {model.config.model_type} model has no fast graph"
    if not portable:
        raise ModelError(f"{what}, and Optimum's has no form {config.quantize}.", why=why, next_step=advice)
    say(f"export: {what[0].lower()}{what[1:]} ({why}), so it gets Optimum's")
    return "optimum"


class Ladder:
    """The rungs for one model.

    Args:
        model: In fp32.
        config: The form, and the limits.
        references: Torch's answers.
        scratch: Where graphs are made.
    """

    def __init__(
        self, model: PreTrainedModel, config: ExportConfig, references: Sequence[ReferenceAnswer], scratch: Path
    ) -> None:
        self._model, self._config, self._references, self._scratch = model, config, references, scratch
        self._architecture = architecture_of(model)
        self._parity: dict[str, Any] = {}

    def climb(self, contract: str) -> Made:
        """All rungs up to the graph of a contract, in the config's form.

        Raises:
            ModelError: Optimum can't export the model, or the fast graph can't hold it.
            ParityError: A rung is further from torch than the config allows.
        """
        say("export: Optimum's graph")
        graph = export_reference(self._model, self._scratch / "optimum")
        self._require_equal("optimum", graph, "optimum", "Optimum's graph")
        form = self._config.quantize
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
        return Made(graph, contract, self._architecture, self._parity)

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
