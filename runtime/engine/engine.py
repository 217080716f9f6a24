"""The decode loop: prompt ids in, answer ids out, one at a time.

Does not know text: stop strings and characters are the caller's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..bundle import Bundle
from ..errors import UsageError
from ..limits import available_threads
from .sampling import SamplingSettings, next_token
from .session import open_decoder

__all__ = ["Engine"]


class Engine:
    """Generates tokens with a bundle's graph. Safe for many threads.

    Args:
        bundle: The bundle.
        threads: Threads of one call; by default what affinity and cgroup allow.
        spinning: See :func:`~attar.runtime.engine.session.open_decoder`.

    Raises:
        BundleError: The graph can't be loaded.
    """

    def __init__(self, bundle: Bundle, *, threads: int | None = None, spinning: bool = False) -> None:
        self.bundle = bundle
        self.threads = threads or available_threads()
        manifest = bundle.manifest
        self.session = open_decoder(
            bundle.graph, manifest.architecture, manifest.graph, threads=self.threads, spinning=spinning
        )

    def generate(
        self,
        prompt: Sequence[int],
        *,
        max_new_tokens: int | None = None,
        sampling: SamplingSettings | None = None,
        stop_ids: Sequence[int] | None = None,
    ) -> Iterator[int]:
        """Answer ids, each as soon as it is known; the stop token is not among them.

        Args:
            prompt: Ids of the prompt.
            max_new_tokens: Limit of the answer; by default the bundle's.
            sampling: By default the bundle's.
            stop_ids: Tokens that end the answer; by default the bundle's.

        Raises:
            UsageError: The prompt is empty, or leaves no room for an answer in the context.
        """
        settings = self.bundle.generation
        sampling = sampling or SamplingSettings(temperature=settings.temperature)
        stops = frozenset(settings.stop_ids if stop_ids is None else stop_ids)
        limit = self._room(len(prompt), settings.max_new_tokens if max_new_tokens is None else max_new_tokens)
        return self._generate(prompt, limit, sampling, stops)

    def _room(self, prompt_length: int, wanted: int) -> int:
        context = self.bundle.manifest.architecture.context_length
        if prompt_length == 0 or prompt_length >= context:
            raise UsageError(
                f"A prompt of {prompt_length} tokens can't be answered in a context of {context}.",
                next_step="Shorten the prompt." if prompt_length else "Give a prompt.",
            )
        return min(wanted, context - prompt_length)

    def _generate(
        self, prompt: Sequence[int], limit: int, sampling: SamplingSettings, stops: frozenset[int]
    ) -> Iterator[int]:
        rng = np.random.default_rng(sampling.seed)
        ids, cache = prompt, self.session.empty_cache(len(prompt) + limit)
        try:
            for _ in range(limit):
                logits, cache = self.session.forward(ids, cache)
                token = next_token(logits[-1], sampling, rng)
                if token in stops:
                    return
                yield token
                ids = [token]
        finally:
            self.session.release(cache)
