"""What a form that embeds texts must not lose, and what it is timed with: texts whose embeddings torch gave.

Hands on forms as candidates, refused or not. Does not know how one is chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attar.runtime.engine.encoder import Encoder
from attar.runtime.limits import available_threads
from attar.runtime.similarity import Similarity

from .automatic import size_of
from .choosing import Candidate, Work

__all__ = ["EmbeddingGate"]


class EmbeddingGate:
    """See :class:`~attar.pipeline.export.automatic.Gate`. Timed are a text of median length, and all of them at once.

    Args:
        texts: Token ids of each.
        min_cosine: Least mean cosine of torch's embeddings and a form's.
    """

    def __init__(self, texts: Sequence[Sequence[int]], min_cosine: float) -> None:
        self._texts, self._min_cosine = texts, min_cosine
        self._median = sorted(texts, key=len)[len(texts) // 2]

    def exact(self, graph: Path) -> Candidate:
        return Candidate("none", size_of(graph), None, cosine=1.0)

    def judged(self, form: str, graph: Path, parity: Similarity, exact: Candidate) -> Candidate:
        refused = None
        if not parity.mean_cosine >= self._min_cosine:
            refused = f"a mean cosine of {parity.mean_cosine:.4f} with torch, wanted {self._min_cosine}"
        return Candidate(form, size_of(graph), None, cosine=parity.mean_cosine, refused=refused)

    def work(self, form: str, graph: Path) -> Work:
        encoder = Encoder(graph, threads=available_threads())
        return Work(
            alone=lambda: encoder.embed([self._median]),
            together=lambda: encoder.embed(self._texts),
            tokens=sum(map(len, self._texts)),
        )

    def described(self, found: Candidate) -> str:
        return (
            f"{1000 * found.seconds:.1f} ms a text of {len(self._median)} tokens, {found.tokens_per_second:.0f} "
            f"tokens/s of {len(self._texts)} at once, cosine with torch {found.cosine:.4f}"
        )

    def to_dict(self) -> dict[str, Any]:
        return {
            "gate": {"min_cosine": self._min_cosine},
            "text_tokens": len(self._median),
            "texts": len(self._texts),
        }
