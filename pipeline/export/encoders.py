"""``export_encoder``: a model folder in, a bundle that embeds texts out, or an error and nothing.

The ladder is that of causal LMs: torch, Optimum's graph, the fast graph, the quantized one, each compared with torch by
its embeddings of some texts. Does not know runs or training.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from attar.runtime.bundle import GRAPH_FILE, MANIFEST_FILE, Bundle
from attar.runtime.engine.encoder import Encoder
from attar.runtime.errors import ParityError, UsageError
from attar.runtime.files import require_replaceable
from attar.runtime.limits import available_threads
from attar.runtime.similarity import Embedded, Similarity, measure_similarity

from ..progress import say
from ..teacher.encoders import LoadedEncoder, load_encoder
from .checks import existing_parent, require_finite, require_room
from .fast import FORMS, build_encoder, encoder_refusal
from .ladder import Made, plan_of
from .quantize import quantize
from .reference import architecture_of, export_encoder_reference
from .sentences import SENTENCES
from .writing import Provenance, write_encoder_bundle

__all__ = ["export_encoder"]

_EXACT = 1e-4
"""Largest difference between torch and the fp32 graphs in any number of an embedding of length 1."""
_COPIES = 3


def export_encoder(
    model: str | Path,
    out: Path,
    *,
    form: str = "none",
    graph: str = "fast",
    min_cosine: float = 0.99,
    provenance: Provenance | None = None,
) -> Bundle:
    """Export an encoder to a bundle, with the mean of a text's tokens and length 1 in its graph.

    Args:
        model: A model folder, or any name that :func:`attar.pipeline.teacher.load_model` takes.
        out: The bundle's folder; an older bundle there is replaced when the new one is whole.
        form: The numeric form.
        graph: "fast", or "optimum" for the portable graph.
        min_cosine: Least mean cosine of torch's embeddings and the quantized graph's.
        provenance: Lineage and licenses for the manifest.

    Raises:
        ModelError: The model can't be loaded or exported, or is no encoder.
        OutOfSpace: There is no room for the graphs.
        ParityError: A graph is further from torch than is allowed; no bundle is written.
        Refused: Something that is no bundle stands at ``out``.
        UsageError: There is no such form.
    """
    if form not in FORMS:
        raise UsageError(f"An encoder has no form {form!r}.", next_step=f"Choose one of {', '.join(FORMS)}.")
    require_replaceable(out, MANIFEST_FILE)
    say(f"export: loading {model}")
    loaded = load_encoder(str(model))
    require_finite(loaded.model, loaded.name)
    contract, form = plan_of(loaded.model, graph, form, encoder_refusal(loaded.model.config))
    size = 4 * sum(weight.numel() for weight in loaded.model.parameters())
    require_room(out, _COPIES * size, "They need", "Make room, or choose another place with --out.")
    references = _embedded(loaded)
    with tempfile.TemporaryDirectory(dir=existing_parent(out), prefix=".attar-export-") as scratch:
        made = _climb(loaded, contract, form, references, min_cosine, Path(scratch))
        return write_encoder_bundle(
            out,
            made=[made],
            tokenizer=loaded.tokenizer,
            references=references,
            provenance=provenance or Provenance(lineage={"model": str(model), "pooling": "mean"}),
        )


def _embedded(loaded: LoadedEncoder) -> Embedded:
    """Torch's embeddings, each text by itself, so that nothing is filled up."""
    texts = [read.ids for read in loaded.tokenizer.encode_batch(list(SENTENCES))]
    found = []
    for text in texts:
        with torch.inference_mode():
            states = loaded.model(input_ids=torch.tensor([text])).last_hidden_state
            found.append(torch.nn.functional.normalize(states[0].mean(0), dim=-1).numpy())
    return Embedded(texts, np.stack(found))


def _climb(
    loaded: LoadedEncoder, contract: str, form: str, references: Embedded, min_cosine: float, scratch: Path
) -> Made:
    parity: dict[str, Any] = {}

    def measured(rung: str, graph: Path) -> Similarity:
        say(f"export: compare {rung} with torch, {len(references.texts)} texts")
        found = measure_similarity(Encoder(graph, threads=available_threads()), references)
        parity[rung] = found.to_dict()
        return found

    say("export: Optimum's graph")
    graph = export_encoder_reference(loaded.model, scratch / "optimum")
    _require_equal("Optimum's graph", measured("optimum", graph))
    if contract == "fast":
        say("export: the fast graph")
        graph = build_encoder(loaded.model, _place(scratch, "fast"), "none")
        _require_equal("The fast graph", measured("fast", graph))
    architecture = architecture_of(loaded.model, loaded.most_tokens)
    limits = {"max_difference": _EXACT}
    if form != "none":
        say(f"export: {form}")
        exact, graph, limits = graph, _place(scratch, form), {"min_cosine": min_cosine}
        if contract == "fast":
            build_encoder(loaded.model, graph, form)
        else:
            quantize(exact, graph, form, architecture.vocabulary_size)
        found = measured(form, graph)
        if not found.mean_cosine >= min_cosine:
            raise _disagree(f"The {form} graph", found, f"a mean cosine of at least {min_cosine}")
    return Made(graph, contract, form, architecture, parity, limits)


def _place(scratch: Path, name: str) -> Path:
    (scratch / name).mkdir()
    return scratch / name / GRAPH_FILE


def _require_equal(what: str, found: Similarity) -> None:
    if not found.largest_difference <= _EXACT:
        raise _disagree(what, found, f"at most {_EXACT} in any number")


def _disagree(what: str, found: Similarity, wanted: str) -> ParityError:
    return ParityError(
        f"{what} and torch disagree.",
        why=f"Wanted {wanted}; found a difference of {found.largest_difference:.2g}, a mean cosine of "
        f"{found.mean_cosine:.4f} and a least of {found.least_cosine:.4f}, over {found.texts} texts.",
        next_step="Quantize less (--quantize int8 or none), or allow more with --min-cosine.",
    )
