"""``export_encoder``: a model folder in, a bundle that embeds texts out, or an error and nothing.

Checks what can be checked first, then lets the ladder make and measure the graph. Does not know runs or training.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from attar.runtime.bundle import MANIFEST_FILE, Bundle
from attar.runtime.errors import UsageError
from attar.runtime.files import require_replaceable
from attar.runtime.similarity import Embedded

from ..progress import say
from ..teacher.encoders import LoadedEncoder, load_encoder
from .automatic import climb_to_best
from .checks import existing_parent, require_finite, require_room
from .embedding_gate import EmbeddingGate
from .encoder_ladder import EncoderLadder
from .fast import FORMS, encoder_refusal
from .ladder import plan_of
from .sentences import SENTENCES
from .writing import Provenance, write_encoder_bundle

__all__ = ["export_encoder"]

_COPIES = 3


def export_encoder(
    model: str | Path,
    out: Path,
    *,
    form: str = "none",
    graph: str = "fast",
    min_cosine: float = 0.99,
    wanted: str | Sequence[str] = "latency",
    provenance: Provenance | None = None,
) -> Bundle:
    """Export an encoder to a bundle, with the mean of a text's tokens and length 1 in its graph.

    Args:
        model: A model folder, or any name that :func:`attar.pipeline.teacher.load_model` takes.
        out: The bundle's folder; an older bundle there is replaced when the new one is whole.
        form: The numeric form, or "auto" for the best of all here that are near enough to torch.
        graph: "fast", or "optimum" for the portable graph.
        min_cosine: Least mean cosine of torch's embeddings and the quantized graph's.
        wanted: What auto chooses by, "latency", "throughput" or "size"; of several the bundle holds the best of each.
        provenance: Lineage and licenses for the manifest.

    Raises:
        ModelError: The model can't be loaded or exported, or is no encoder.
        OutOfSpace: There is no room for the graphs.
        ParityError: A graph is further from torch than is allowed; no bundle is written.
        Refused: Something that is no bundle stands at ``out``.
        UsageError: There is no such form.
    """
    if form not in (known := [*FORMS, "auto"]):
        raise UsageError(f"An encoder has no form {form!r}.", next_step=f"Choose one of {', '.join(known)}.")
    require_replaceable(out, MANIFEST_FILE)
    say(f"export: loading {model}")
    loaded = load_encoder(str(model))
    require_finite(loaded.model, loaded.name)
    contract, form = plan_of(loaded.model, graph, form, encoder_refusal(loaded.model.config))
    size = 4 * sum(weight.numel() for weight in loaded.model.parameters())
    require_room(out, _COPIES * size, "They need", "Make room, or choose another place with --out.")
    references = _embedded(loaded)
    with tempfile.TemporaryDirectory(dir=existing_parent(out), prefix=".attar-export-") as scratch:
        ladder = EncoderLadder(loaded, references, min_cosine, Path(scratch))
        if form == "auto":
            made = climb_to_best(ladder, contract, EmbeddingGate(references.texts, min_cosine), wanted)
        else:
            made = [ladder.climb(contract, form)]
        return write_encoder_bundle(
            out,
            made=made,
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
