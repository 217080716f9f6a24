"""Answers under way on one graph: each step of it makes a token for all of them.

Whoever waits for a token computes, for everybody; the others wait for that. So there is no thread to start, to stop
or to lose, one answer alone costs no change of threads, and a call that is interrupted ends its own thread's work
only. New answers join between two steps, ended ones leave. One that runs alone reads guesses at its next tokens with
its last. Does not know the graph's contract, or text.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from ..errors import ArtifactError
from .drafting import Drafter
from .sampling import SamplingSettings, next_token
from .session import Rows

__all__ = ["Generation", "Scheduler"]

_CHUNK = 512
"""Prompt tokens that are read between two steps of the others: a long prompt must not make them wait, nor need the
memory of attention over all of it at once. A prompt is cut at the same places whatever else is under way."""


class Generation:
    """One answer under way.

    Args:
        prompt: Ids of the prompt.
        limit: Most tokens of the answer, at least 1.
        sampling: How they are chosen.
        stops: Tokens that end it.
        drafting: Whether it may be guessed at; where tokens are drawn it is not.
    """

    def __init__(
        self,
        prompt: Sequence[int],
        limit: int,
        sampling: SamplingSettings,
        stops: Collection[int],
        *,
        drafting: bool = False,
    ) -> None:
        self._left_to_make, self._sampling, self._stops = limit, sampling, stops
        self._rng = np.random.default_rng(sampling.seed)
        self._drafter = Drafter(prompt) if drafting and sampling.temperature == 0 else None
        self.unread = prompt
        self.last: int | None = None
        self.ready: deque[int] = deque()
        self.ended = self.given_up = False
        self.error: Exception | None = None

    def take_in(self, logits: NDArray[np.float32]) -> None:
        """Choose the next token from ``[V]`` logits."""
        token = next_token(logits, self._sampling, self._rng)
        if token in self._stops:
            self.ended = True
            return
        self.last = token
        self._left_to_make -= 1
        self.ready.append(token)
        self.ended = self._left_to_make == 0
        if self._drafter:
            self._drafter.add(token)

    def draft(self) -> list[int]:
        """A guess at the tokens after the last, which leaves one to make."""
        return self._drafter.draft(self._left_to_make - 1) if self._drafter else []

    def take_in_drafted(self, draft: Sequence[int], logits: NDArray[np.float32]) -> int:
        """Choose tokens as long as they are those of a draft, and the one after.

        Args:
            draft: What :meth:`draft` gave.
            logits: After the last token, and after each of the draft, ``[len(draft) + 1, V]``.

        Returns:
            How many of the draft are tokens of the answer.
        """
        assert self._drafter is not None
        right = 0
        for place, guess in enumerate([*draft, None]):
            self.take_in(logits[place])
            if self.ended or self.last != guess:
                break
            right += 1
        self._drafter.learn(len(draft), right)
        return right


class Scheduler:
    """Runs generations together. Safe for many threads.

    Args:
        rows: An empty set of rows.
        most: Generations that run together at most; others wait their turn, first come first served.
    """

    def __init__(self, rows: Rows, most: int) -> None:
        self._rows, self._most = rows, most
        self._changed = threading.Condition(threading.Lock())
        self._at_work = False
        self._waiting: deque[Generation] = deque()
        self._running: list[Generation] = []  # by row

    def submit(self, generation: Generation) -> None:
        """Let a generation take part from the next step on."""
        self._waiting.append(generation)

    def next(self, generation: Generation) -> int | None:
        """Its next token; None where it has ended.

        Raises:
            ArtifactError: The graph failed, or the thread that computed for all was interrupted.
        """
        while True:
            ended = generation.ended  # before its tokens, or the last of them could come in between
            if generation.ready:
                return generation.ready.popleft()
            if ended:
                if generation.error:
                    raise generation.error
                return None
            self._work_or_wait(generation)

    def give_up(self, generation: Generation) -> None:
        """Nobody waits for this one any more."""
        generation.given_up = True
        if self._changed.acquire(blocking=False):  # else the next step does it; this may run in a garbage collection
            try:
                if not self._at_work:
                    self._drop_what_is_over()
            finally:
                self._changed.release()

    def _work_or_wait(self, generation: Generation) -> None:
        with self._changed:
            while self._at_work and not (generation.ready or generation.ended):
                self._changed.wait()
            if generation.ready or generation.ended:
                return
            self._at_work = True
        try:
            self._step()
        finally:
            with self._changed:
                self._at_work = False
                self._changed.notify_all()

    def _step(self) -> None:
        """One token for each that runs, and a part of the prompts of those that wait."""
        try:
            self._drop_what_is_over()
            self._read_prompts()
            draft = self._running[0].draft() if self._runs_alone() else []
            if draft:
                self._read_draft(self._running[0], draft)
            elif any(not each.unread for each in self._running):
                logits = self._rows.step([None if each.unread else each.last for each in self._running])
                for row, each in enumerate(self._running):
                    if not each.unread:
                        each.take_in(logits[row])
        except BaseException as error:
            self._fail(error)
            if not isinstance(error, Exception):
                raise

    def _runs_alone(self) -> bool:
        """Several rows make one another's steps cheap; then guesses gain nothing."""
        return len(self._running) == 1 and not self._running[0].unread and not self._waiting

    def _read_draft(self, each: Generation, draft: Sequence[int]) -> None:
        assert each.last is not None
        logits = self._rows.read(0, [each.last, *draft], logits_from=0)
        self._rows.forget(0, len(draft) - each.take_in_drafted(draft, logits))

    def _read_prompts(self) -> None:
        read = 0
        while read < _CHUNK:
            row = next((row for row, each in enumerate(self._running) if each.unread), None)
            if row is None:
                if not self._waiting or len(self._running) >= self._most:
                    return
                self._rows.add()
                self._running.append(self._waiting.popleft())
                continue
            each = self._running[row]
            chunk, each.unread = each.unread[:_CHUNK], each.unread[_CHUNK:]
            read += len(chunk)
            logits = self._rows.read(row, chunk)
            if not each.unread:
                each.take_in(logits[-1])
                self._drop_what_is_over()

    def _drop_what_is_over(self) -> None:
        for row in reversed(range(len(self._running))):
            if self._running[row].ended or self._running[row].given_up:
                self._rows.drop(row)
                last = self._running.pop()
                if row < len(self._running):
                    self._running[row] = last
        while self._waiting and self._waiting[0].given_up:
            self._waiting.popleft()

    def _fail(self, error: BaseException) -> None:
        """End all that run: what their rows hold is not known any more."""
        while len(self._rows):
            self._rows.drop(len(self._rows) - 1)
        for each in self._running:
            each.error = ArtifactError("The answer could not be finished.", why=repr(error))
            each.ended = True
        self._running.clear()
