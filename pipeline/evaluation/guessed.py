"""A greedy answer that is read as far as a guess holds, all at once, and decoded token by token from there.

The guess can save time and can't change the answer. Does not know models: the caller reads what it is told to,
and tells what the model said.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

__all__ = ["GuessedAnswer"]


class GuessedAnswer:
    """One answer as it grows.

    Args:
        guess: Ids that the answer may be, without an end.
        ends: Tokens that end it; they are never part of it.
        limit: Most tokens that it may have.

    Attributes:
        ids: The answer so far; its last token has been chosen, but not read yet.
        done: Whether it is whole.
    """

    def __init__(self, guess: Sequence[int], ends: Collection[int], limit: int) -> None:
        self.ids: list[int] = []
        self.done = limit < 1
        self._guess, self._ends, self._limit = list(guess), ends, limit

    def take(self, token: int) -> None:
        """Go on with the token that the model chose."""
        if not self.done and token not in self._ends:
            self.ids.append(token)
        self.done = self.done or token in self._ends or len(self.ids) == self._limit

    def next_run(self) -> list[int]:
        """What to read next: the last token, and all that is guessed to follow while the guess has held."""
        known = len(self.ids)
        held = self.ids == self._guess[:known]
        return [self.ids[-1], *(self._guess[known : self._limit - 1] if held else [])]

    def follow(self, run: Sequence[int], predicted: Sequence[int]) -> int:
        """Take what the model said after each token of a run.

        Returns:
            How many tokens of the run belong to the answer; the others were guessed wrong.
        """
        for place, token in enumerate(predicted, start=1):
            self.take(token)
            if self.done or place == len(run) or run[place] != token:
                return place
        return 0
