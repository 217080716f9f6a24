"""``OnnxEmbeddings``: a bundle that embeds texts, as LangChain takes them.

The bundle is opened, checked and loaded at the first call. Does not know vector stores.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from langchain_core.embeddings import Embeddings
from pydantic import BaseModel, Field, PrivateAttr

from .bundle import EMBEDDING, Bundle
from .engine import encoder
from .limits import available_threads
from .sharing import Shared
from .text import read_tokenizer

__all__ = ["OnnxEmbeddings"]


class OnnxEmbeddings(BaseModel, Embeddings):
    """An encoder's embeddings of texts, each of length 1, so that a dot product is their cosine.

    What is longer than the encoder reads is cut. Special tokens that a text spells out stay text.

    Example:
        >>> embeddings = OnnxEmbeddings(bundle="encoder")
        >>> store = InMemoryVectorStore(embeddings)
    """

    bundle: str | os.PathLike[str]
    """The bundle's folder, made by ``attar export MODEL --task feature-extraction``."""
    threads: int | None = Field(default=None, ge=1)
    """Threads of one call; by default what affinity and cgroup allow."""
    use: str | None = None
    """What a bundle of several forms is wanted for, such as "throughput"; by default its first form is loaded."""

    _loaded: _Loaded | None = PrivateAttr(default=None)

    @property
    def size(self) -> int:
        """Numbers in an embedding."""
        return self._model.encoder.size

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Embeddings of several texts, those of like length read together.

        Raises:
            BundleError: See :meth:`attar.runtime.Bundle.open`.
            UsageError: The bundle has no form for the use.
        """
        found: list[list[float]] = self._model.embed(texts).tolist()
        return found

    def embed_query(self, text: str) -> list[float]:
        """The embedding of one text; a question is embedded as a document is."""
        return self.embed_documents([text])[0]

    @property
    def _model(self) -> _Loaded:
        if self._loaded is None:
            self._loaded = _LOADED.get(Path(self.bundle), self.threads, self.use)
        return self._loaded


class _Loaded:
    """A checked bundle with its encoder and tokenizer."""

    def __init__(self, path: Path, threads: int | None, use: str | None) -> None:
        bundle = Bundle.open(path, task=EMBEDDING, use=use)
        self.encoder = encoder.Encoder(bundle.graph, threads=threads or available_threads())
        self._tokenizer = read_tokenizer(path)
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(bundle.manifest.architecture.context_length)
        self._tokenizer.encode_special_tokens = True  # "special tokens are text": a text can't end itself

    def embed(self, texts: Sequence[str]) -> encoder.Embeddings:
        """Embeddings ``[N, H]``."""
        return self.encoder.embed([read.ids for read in self._tokenizer.encode_batch(list(texts))])


_LOADED = Shared(_Loaded)
