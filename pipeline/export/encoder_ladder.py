"""The ladder of a model that embeds texts: torch, Optimum's graph, the fast graph, the quantized one.

Each rung is compared with torch by its embeddings of some texts; one that is too far off ends it. Does not know
bundles, or how forms are chosen.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from attar.runtime.bundle import GRAPH_FILE
from attar.runtime.engine.encoder import Encoder
from attar.runtime.errors import ParityError
from attar.runtime.limits import available_threads
from attar.runtime.similarity import Embedded, Similarity, measure_similarity

from ..progress import say
from ..teacher.encoders import LoadedEncoder
from .choosing import Chosen
from .fast import build_encoder
from .ladder import Made
from .quantize import quantize
from .reference import architecture_of, export_encoder_reference

__all__ = ["EncoderLadder"]

_EXACT = 1e-4
"""Largest difference between torch and the fp32 graphs in any number of an embedding of length 1."""


class EncoderLadder:
    """The rungs for one model.

    Args:
        loaded: The model, in fp32.
        references: Torch's embeddings.
        min_cosine: Least mean cosine of torch's embeddings and a quantized graph's.
        scratch: Where graphs are made.

    Attributes:
        architecture: The model's shape.
        parity: How far each rung is from torch, by its name.
    """

    def __init__(self, loaded: LoadedEncoder, references: Embedded, min_cosine: float, scratch: Path) -> None:
        self._model, self._references = loaded.model, references
        self._min_cosine, self._scratch = min_cosine, scratch
        self.architecture = architecture_of(loaded.model, loaded.most_tokens)
        self.parity: dict[str, Any] = {}

    def climb(self, contract: str, form: str) -> Made:
        """All rungs up to a graph in a form, as :func:`~attar.pipeline.export.ladder.plan_of` gives them.

        Raises:
            ModelError: Optimum can't export the model.
            ParityError: A rung is further from torch than is allowed.
        """
        graph = self.exact(contract)
        if form != "none":
            graph, found = self.quantized(graph, contract, form)
            if not found.mean_cosine >= self._min_cosine:
                raise _disagree(f"The {form} graph", found, f"a mean cosine of at least {self._min_cosine}")
        return self.made(graph, contract, form)

    def exact(self, contract: str) -> Path:
        """The fp32 graph, which equals torch.

        Raises:
            ModelError: Optimum can't export the model.
            ParityError: A rung is further from torch than is allowed.
        """
        say("export: Optimum's graph")
        graph = export_encoder_reference(self._model, self._scratch / "optimum")
        self._require_equal("optimum", graph, "Optimum's graph")
        if contract == "fast":
            shutil.rmtree(graph.parent)
            say("export: the fast graph")
            graph = build_encoder(self._model, self._place("fast"), "none")
            self._require_equal("fast", graph, "The fast graph")
        return graph

    def quantized(self, exact: Path, contract: str, form: str) -> tuple[Path, Similarity]:
        """A graph in another form, and how far it is from torch."""
        say(f"export: {form}")
        graph = self._place(form)
        if contract == "fast":
            build_encoder(self._model, graph, form)
        else:
            quantize(exact, graph, form, self.architecture.vocabulary_size)
        return graph, self._measure(form, graph)

    def made(
        self, graph: Path, contract: str, form: str, choice: dict[str, Any] | None = None, chosen: Chosen | None = None
    ) -> Made:
        """The graph to ship, with what is known of it."""
        limits = {"max_difference": _EXACT} if form == "none" else {"min_cosine": self._min_cosine}
        return Made(graph, contract, form, self.architecture, self.parity, limits, choice or {}, chosen)

    def _place(self, name: str) -> Path:
        (self._scratch / name).mkdir()
        return self._scratch / name / GRAPH_FILE

    def _require_equal(self, rung: str, graph: Path, what: str) -> None:
        found = self._measure(rung, graph)
        if not found.largest_difference <= _EXACT:
            raise _disagree(what, found, f"at most {_EXACT} in any number")

    def _measure(self, rung: str, graph: Path) -> Similarity:
        say(f"export: compare {rung} with torch, {len(self._references.texts)} texts")
        found = measure_similarity(Encoder(graph, threads=available_threads()), self._references)
        self.parity[rung] = found.to_dict()
        return found


def _disagree(what: str, found: Similarity, wanted: str) -> ParityError:
    return ParityError(
        f"{what} and torch disagree.",
        why=f"Wanted {wanted}; found a difference of {found.largest_difference:.2g}, a mean cosine of "
        f"{found.mean_cosine:.4f} and a least of {found.least_cosine:.4f}, over {found.texts} texts.",
        next_step="Quantize less (--quantize int8 or none), or allow more with --min-cosine.",
    )
