"""How far an encoder's graph is from the model it was made from, by that model's embeddings of some texts.

Hands on the figures, and the files in which a bundle keeps those embeddings. Does not know torch, or what is too far.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .engine.encoder import Embeddings, Encoder
from .errors import BundleError
from .files import read_json
from .references import LOGITS_FILE, PROMPTS_FILE

__all__ = ["Embedded", "Similarity", "measure_similarity", "read_embedded", "write_embedded"]


@dataclass(frozen=True)
class Embedded:
    """Texts and what the model makes of them.

    Attributes:
        texts: Token ids of each.
        embeddings: The model's, ``[N, H]``, each of length 1.
    """

    texts: Sequence[Sequence[int]]
    embeddings: Embeddings


@dataclass(frozen=True)
class Similarity:
    """How far a graph is from the model.

    Attributes:
        mean_cosine: Mean over the texts of the cosine of both embeddings.
        least_cosine: The least of them.
        largest_difference: Over every number of every embedding.
        largest_similarity_change: By how much the cosine of two texts changes at most.
        texts: How many there are.
    """

    mean_cosine: float
    least_cosine: float
    largest_difference: float
    largest_similarity_change: float
    texts: int

    def to_dict(self) -> dict[str, float | None]:
        """The same, for JSON."""
        return asdict(self)


def measure_similarity(encoder: Encoder, known: Embedded) -> Similarity:
    """Compare a loaded graph with what the model said."""
    found, wanted = encoder.embed(known.texts).astype(np.float64), known.embeddings.astype(np.float64)
    cosines = (found * wanted).sum(-1)
    return Similarity(
        mean_cosine=float(cosines.mean()),
        least_cosine=float(cosines.min()),
        largest_difference=float(np.abs(found - wanted).max()),
        largest_similarity_change=float(np.abs(found @ found.T - wanted @ wanted.T).max()),
        texts=len(cosines),
    )


def write_embedded(folder: Path, known: Embedded) -> None:
    """Write them into a bundle's folder."""
    texts = [list(text) for text in known.texts]
    (folder / PROMPTS_FILE).write_text(json.dumps({"texts": texts}, separators=(",", ":")) + "\n", encoding="utf-8")
    np.save(folder / LOGITS_FILE, known.embeddings, allow_pickle=False)


def read_embedded(folder: Path, size: int) -> Embedded:
    """Read what :func:`write_embedded` wrote; embeddings have ``size`` numbers.

    Raises:
        BundleError: The files are missing, or not of this kind.
    """
    try:
        texts: Any = read_json(folder / PROMPTS_FILE)["texts"]
        embeddings = np.load(folder / LOGITS_FILE, allow_pickle=False)
        if embeddings.shape != (len(texts), size) or embeddings.dtype != np.float32 or not len(texts):
            raise ValueError(f"There are embeddings {embeddings.shape} of {len(texts)} texts.")
        return Embedded(texts, embeddings)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BundleError(
            "The bundle's references can't be read.",
            where=folder / LOGITS_FILE,
            why=error,
            next_step="Copy the bundle again, or export it anew.",
        ) from error
