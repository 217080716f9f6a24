"""Guesses at an answer's next tokens: what followed the last ones where the text had them before.

Answers from records and documents copy. To read a few guessed tokens at once costs little more than to read one, and
those that turn out right need no step of their own (prompt lookup decoding, Saxena 2023,
https://github.com/apoorvumang/prompt-lookup-decoding). Does not know the graph: which guesses hold is for the model.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["Drafter"]

_CONTEXTS = (3, 2, 1)
"""Tokens that have to be the same before the place that is copied, the most telling first."""
_FIRST, _MOST = 3, 7
"""Tokens of the first guess, and of the longest: forms whose weights take 4 bits pay a third of a step for each."""


class Drafter:
    """Guesses at how a text goes on. The earliest place counts: records stand before what asks about them.

    Args:
        text: Its tokens so far.
    """

    def __init__(self, text: Sequence[int]) -> None:
        self._text = list(text)
        self._places: dict[tuple[int, ...], int] = {}  # by the tokens before it
        self._indexed = 0
        self._length = _FIRST

    def add(self, token: int) -> None:
        """The text goes on with this token."""
        self._text.append(token)

    def draft(self, most: int) -> list[int]:
        """What may follow, ``most`` tokens at most; nothing where the last token is new."""
        self._index()
        for size in _CONTEXTS:
            place = self._places.get(tuple(self._text[-size:]))
            if place is not None:
                return self._text[place : place + min(self._length, most)]
        return []

    def learn(self, drafted: int, right: int) -> None:
        """Guess further where all of a guess was right, and less far where none of it was."""
        if right == drafted:
            self._length = min(2 * self._length, _MOST)
        elif right == 0:
            self._length = max(self._length // 2, 1)

    def _index(self) -> None:
        for place in range(self._indexed, len(self._text)):
            for size in _CONTEXTS:
                if size <= place:
                    self._places.setdefault(tuple(self._text[place - size : place]), place)
        self._indexed = len(self._text)
