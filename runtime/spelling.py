"""Which known word a misspelt one was meant to be.

Hands on the nearest word by letters left out, put in, replaced or exchanged with a neighbor. Does not know
what the words are for.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher

__all__ = ["edit_distance", "nearest"]

_MOST_EDITS = 2
_LETTERS_PER_EDIT = 3


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that ``word`` was most likely meant to be, or None where none is near.

    One edit is always near; two are only where the word has six letters or more, because two edits make
    another word of a short one. Capitals do not count. Of equally near words the one with more letters in
    common wins.
    """
    word = word.casefold()
    limit = min(_MOST_EDITS, max(1, len(word) // _LETTERS_PER_EDIT))
    ranked = [
        (edit_distance(word, folded), -SequenceMatcher(None, word, folded).ratio(), other)
        for other in known
        for folded in [other.casefold()]
    ]
    distance, _, best = min(ranked, default=(limit + 1, 0.0, ""))
    return best if distance <= limit else None


def edit_distance(left: str, right: str) -> int:
    """Edits that turn one word into the other: a letter left out, put in, replaced, or two neighbors exchanged.

    This is the Damerau-Levenshtein distance as optimal string alignment: no letter is edited twice.
    """
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, letter in enumerate(left, 1):
        above, before = before, row
        row = [i]
        for j, other in enumerate(right, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == right[j - 2] and left[i - 2] == other:
                cost = min(cost, above[j - 2] + 1)
            row.append(cost)
    return row[-1]
