"""The decode loop: prompt ids in, answer ids out. Answers that are asked for at once are decoded together.

Does not know text: stop strings and characters are the caller's.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ..bundle import Bundle
from ..errors import UsageError
from ..limits import available_threads
from .sampling import SamplingSettings
from .scheduler import Generation, Scheduler
from .session import open_decoder

__all__ = ["Engine", "Request"]


@dataclass(frozen=True)
class Request:
    """A prompt to be answered.

    Attributes:
        prompt: Its ids.
        max_new_tokens: Limit of the answer; by default the bundle's.
        sampling: By default the bundle's.
        stop_ids: Tokens that end the answer; by default the bundle's.
        drafting: Whether guesses at the next tokens, copied from the text, are read with the last one, where the answer
            is decoded alone and its tokens are not drawn. It stays what it is, and takes fewer steps where it copies.
    """

    prompt: Sequence[int]
    max_new_tokens: int | None = None
    sampling: SamplingSettings | None = None
    stop_ids: Sequence[int] | None = None
    drafting: bool = True


class Engine:
    """Generates tokens with a bundle's graph. Safe for many threads.

    What is read beside a token changes its logits in the last places only: every form that is written now rounds the
    inputs of each row for itself. Dynamic forms of bundles before that have one scale for all rows; there the
    others can decide between tokens that are almost equally likely, unless ``concurrency`` is 1 and nothing is drafted.

    Args:
        bundle: The bundle.
        threads: Threads of one call; by default what affinity and cgroup allow.
        concurrency: Answers that are decoded together at most; 1 makes each independent of the others.

    Raises:
        BundleError: The graph can't be loaded.
    """

    def __init__(self, bundle: Bundle, *, threads: int | None = None, concurrency: int = 16) -> None:
        self.bundle = bundle
        self.threads = threads or available_threads()
        manifest = bundle.manifest
        self.session = open_decoder(bundle.graph, manifest.architecture, manifest.graph, threads=self.threads)
        self._scheduler = Scheduler(self.session.rows(), concurrency)

    def generate(
        self,
        prompt: Sequence[int],
        *,
        max_new_tokens: int | None = None,
        sampling: SamplingSettings | None = None,
        stop_ids: Sequence[int] | None = None,
        drafting: bool = True,
    ) -> Generator[int]:
        """Answer ids, each as soon as it is known; the stop token is not among them.

        Nothing is computed before the first is asked for. Close the iterator to give the answer up.

        Args:
            prompt: See :class:`Request`, also for the rest.
            max_new_tokens: Limit of the answer.
            sampling: How tokens are chosen.
            stop_ids: Tokens that end the answer.
            drafting: Whether copied guesses at its tokens are read at once.

        Raises:
            UsageError: The prompt is empty, or leaves no room for an answer in the context.
        """
        return self._answer(self._generation(Request(prompt, max_new_tokens, sampling, stop_ids, drafting)))

    def generate_many(self, requests: Sequence[Request]) -> list[list[int]]:
        """The answers to several prompts, decoded together.

        Raises:
            UsageError: See :meth:`generate`; then no prompt is answered.
        """
        with self.streams(requests) as answers:
            return [list(answer) for answer in answers]

    @contextmanager
    def streams(self, requests: Sequence[Request]) -> Iterator[list[Generator[int]]]:
        """The answers to several prompts, decoded together, each as :meth:`generate` gives it.

        To ask one for a token is to compute one for all. One that was begun is given up where it is closed, and the
        rest at the end of the ``with`` block.

        Raises:
            UsageError: See :meth:`generate`; then no prompt is answered.
        """
        generations = [self._generation(request) for request in requests]
        try:
            for generation in generations:
                if generation:
                    self._scheduler.submit(generation)
            yield [self._tokens(generation) for generation in generations]
        finally:
            for generation in generations:
                if generation:
                    self._scheduler.give_up(generation)

    def _generation(self, request: Request) -> Generation | None:
        """None where no token is wanted."""
        settings = self.bundle.generation
        wanted = settings.max_new_tokens if request.max_new_tokens is None else request.max_new_tokens
        limit = self._room(len(request.prompt), wanted)
        stops = frozenset(settings.stop_ids if request.stop_ids is None else request.stop_ids)
        sampling = request.sampling or SamplingSettings(temperature=settings.temperature)
        if limit <= 0:
            return None
        return Generation(list(request.prompt), limit, sampling, stops, drafting=request.drafting)

    def _room(self, prompt_length: int, wanted: int) -> int:
        context = self.bundle.manifest.architecture.context_length
        if prompt_length == 0 or prompt_length >= context:
            raise UsageError(
                f"A prompt of {prompt_length} tokens can't be answered in a context of {context}.",
                next_step="Shorten the prompt." if prompt_length else "Give a prompt.",
            )
        return min(wanted, context - prompt_length)

    def _answer(self, generation: Generation | None) -> Generator[int]:
        if generation:
            self._scheduler.submit(generation)
        yield from self._tokens(generation)

    def _tokens(self, generation: Generation | None) -> Generator[int]:
        if generation is None:
            return
        try:
            while (token := self._scheduler.next(generation)) is not None:
                yield token
        finally:
            self._scheduler.give_up(generation)
