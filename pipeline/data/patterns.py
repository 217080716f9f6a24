"""Values that fit a column and stand in none of its rows: names of recombined words, codes, numbers, dates.

Hands on one :class:`Pattern` a column, which draws such values and checks one that was drawn. Does not know
questions, splits or samples.
"""

from __future__ import annotations

import datetime
import random
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation

from .schema import written

__all__ = ["Codes", "Dates", "Names", "Numbers", "Pattern", "Patterns"]

_TRIES = 20
_MOST_WORDS = 6
"""Longer texts are sentences, whose recombined words would mean nothing."""
_LONGEST_CODE = 4
"""A text of so few characters is a code, whatever its letters."""


class Pattern(ABC):
    """What the values of a column look like.

    Args:
        texts: The written values of the column that new ones are made like.
        read: Gives the value that a text is written for.
    """

    def __init__(self, texts: Sequence[str], read: Callable[[str], object]) -> None:
        self._texts, self.read = texts, read

    def draw(self, rng: random.Random, known: frozenset[str]) -> str | None:
        """A written value that fits and is not ``known``; None where none was found."""
        for _ in range(_TRIES):
            text = self._any(rng)
            if text not in known and self.fits(text) and written(self.read(text)) == text:
                return text
        return None

    @abstractmethod
    def fits(self, text: str) -> bool:
        """Whether a written value looks like those of the column; what fits some of its values fits all of them."""

    @abstractmethod
    def _any(self, rng: random.Random) -> str:
        """A value that may fit."""


class Names(Pattern):
    """Texts of a few words: words of different values together, or halves of them where a value is one word."""

    def __init__(self, texts: Sequence[str], read: Callable[[str], object]) -> None:
        super().__init__(texts, read)
        split = [text.split(" ") for text in texts]
        self._first = [words[0] for words in split if len(words) > 1]
        self._later = [word for words in split for word in words[1:]]
        self._single = [words[0] for words in split if len(words) == 1]
        self._counts = {len(words) for words in split}
        self._words = {False: frozenset(self._later), True: frozenset(self._first)}
        self._starts = {word[:place] for word in self._single for place in range(1, len(word))}
        self._ends = {word[place:] for word in self._single for place in range(1, len(word))}

    def fits(self, text: str) -> bool:
        """Whether every word, or each half of the only one, stands in some value."""
        words = text.split(" ")
        if len(words) not in self._counts:
            return False
        if len(words) > 1:
            return all(word in self._words[place == 0] for place, word in enumerate(words))
        return any(text[:place] in self._starts and text[place:] in self._ends for place in range(1, len(text)))

    def _any(self, rng: random.Random) -> str:
        words = rng.choice(self._texts).split(" ")
        if len(words) > 1:
            return " ".join([rng.choice(self._first), *(rng.choice(self._later) for _ in words[1:])])
        one, other = words[0], rng.choice(self._single)
        return one[: (len(one) + 1) // 2] + other[(len(other) + 1) // 2 :]


class Codes(Pattern):
    """Texts such as "DK", "A-320" or "+45": as many letters and digits at the same places, all else as it was."""

    def __init__(self, texts: Sequence[str], read: Callable[[str], object]) -> None:
        super().__init__(texts, read)
        self._shapes = {_shape(text) for text in texts}

    def fits(self, text: str) -> bool:
        """Whether some value has the same shape."""
        return _shape(text) in self._shapes

    def _any(self, rng: random.Random) -> str:
        return "".join(_like(sign, rng) for sign in rng.choice(self._texts))


class Numbers(Pattern):
    """Numbers of the same sign, digits before and after the point, within the column's range."""

    def __init__(self, texts: Sequence[str], read: Callable[[str], object]) -> None:
        super().__init__(texts, read)
        numbers = [Decimal(text) for text in texts]
        self._low, self._high = min(numbers), max(numbers)
        self._shapes = {_shape(text) for text in texts}
        sizes = {sign: [abs(number) for number in numbers if (number < 0) == sign] for sign in (False, True)}
        self._bounds = {sign: (int(min(found)), int(max(found))) for sign, found in sizes.items() if found}

    def fits(self, text: str) -> bool:
        """Whether it lies in the column's range, and some value has its sign and as many digits and decimals."""
        try:
            number = Decimal(text)
        except InvalidOperation:
            return False
        return _shape(text) in self._shapes and self._low <= number <= self._high

    def _any(self, rng: random.Random) -> str:
        text = rng.choice(self._texts)
        sign = "-" if text.startswith("-") else ""
        whole, _, decimals = text.removeprefix("-").partition(".")
        low, high = self._bounds[Decimal(text) < 0]
        least = 10 ** (len(whole) - 1) if len(whole) > 1 else 0
        drawn = rng.randint(max(least, low), min(10 ** len(whole) - 1, high))
        if not decimals:
            return f"{sign}{drawn}"
        return f"{sign}{drawn}." + "".join(rng.choices("0123456789", k=len(decimals) - 1)) + rng.choice("123456789")


class Dates(Pattern):
    """Days between the first and the last of the column."""

    def __init__(self, texts: Sequence[str], read: Callable[[str], object]) -> None:
        super().__init__(texts, read)
        days = [datetime.date.fromisoformat(text).toordinal() for text in texts]
        self._low, self._high = min(days), max(days)

    def fits(self, text: str) -> bool:
        """Whether it is a day in that time."""
        return _is_day(text) and self._low <= datetime.date.fromisoformat(text).toordinal() <= self._high

    def _any(self, rng: random.Random) -> str:
        return datetime.date.fromordinal(rng.randint(self._low, self._high)).isoformat()


class Patterns:
    """The patterns of a table's columns, found when the first is asked for.

    Args:
        rows: All rows of the table: what stands in one is never drawn.
        columns: Names of the columns.
        numbers: Numbers of the rows that new values are made like; by default of all.
    """

    def __init__(
        self, rows: Sequence[Mapping[str, object]], columns: Iterable[str], numbers: Iterable[int] | None = None
    ) -> None:
        self._rows, self._columns = rows, list(columns)
        self._numbers = None if numbers is None else frozenset(numbers)
        self._patterns: dict[str, Pattern | None] = {}
        self._known: dict[str, frozenset[str]] = {}

    def draw(self, column: str, rng: random.Random) -> str | None:
        """A written value of a column that no row has; None where it has no pattern, or nothing new fits."""
        pattern = self._pattern(column)
        return pattern.draw(rng, self._known[column]) if pattern else None

    def value(self, column: str, text: str) -> object:
        """The value that a text of :meth:`draw` is written for.

        Raises:
            ValueError: The column's values have no pattern, or it is none of them.
        """
        pattern = self._pattern(column)
        if pattern is None:
            raise ValueError(f"the values of {column!r} have no pattern")
        return pattern.read(text)

    def fit(self, column: str, text: str) -> bool:
        """Whether a text looks like the values of a column and stands in no row."""
        pattern = self._pattern(column)
        return pattern is not None and text not in self._known[column] and pattern.fits(text)

    def _pattern(self, column: str) -> Pattern | None:
        if not self._patterns:
            self._find()
        return self._patterns.get(column)

    def _find(self) -> None:
        """Read the rows once."""
        known: dict[str, set[str]] = defaultdict(set)
        like: dict[str, list[str]] = defaultdict(list)
        types: dict[str, set[type]] = defaultdict(set)
        for number, row in enumerate(self._rows):
            for column in self._columns:
                text = written(row[column])
                if text is None:
                    continue
                known[column].add(text)
                types[column].add(type(row[column]))
                if self._numbers is None or number in self._numbers:
                    like[column].append(text)
        self._known = {column: frozenset(known[column]) for column in self._columns}
        self._patterns = {column: _pattern_of(like[column], types[column]) for column in self._columns}


def _pattern_of(texts: Sequence[str], types: set[type]) -> Pattern | None:
    """The pattern of written values, all of one type; None where they have none."""
    if not texts or len(types) != 1:
        return None
    kind = next(iter(types))
    if kind in (int, float, Decimal):
        finite = [text for text in texts if Decimal(text).is_finite()]
        return Numbers(finite, kind) if finite else None
    if kind is datetime.date:
        return Dates(texts, datetime.date.fromisoformat)
    if kind is not str:
        return None
    if all(map(_is_day, texts)):
        return Dates(texts, str)
    if all(map(_is_code, texts)):
        return Codes(texts, str)
    short = [text for text in texts if len(text.split(" ")) <= _MOST_WORDS]
    return Names(short, str) if short else None


def _is_day(text: str) -> bool:
    try:
        return datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _is_code(text: str) -> bool:
    """Whether a text is one word of capitals, or with a digit in it, or very short."""
    return " " not in text and (len(text) <= _LONGEST_CODE or text.isupper() or any(map(str.isdigit, text)))


def _shape(text: str) -> str:
    """A text, each letter of the alphabet and each digit as one of its kind."""
    return "".join(_sign(sign) for sign in text)


def _sign(sign: str) -> str:
    if not sign.isascii() or not sign.isalnum():
        return sign
    return "9" if sign.isdigit() else "A" if sign.isupper() else "a"


def _like(sign: str, rng: random.Random) -> str:
    letters = {"9": "0123456789", "A": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "a": "abcdefghijklmnopqrstuvwxyz"}
    kind = _sign(sign)
    return sign if kind == sign and kind not in letters else rng.choice(letters[kind])
