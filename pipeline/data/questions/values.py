"""What can be compared: numbers and dates, by their values and by how they are written.

Generators go by values, checkers by the written text, so that neither repeats the other's mistakes.
"""

from __future__ import annotations

import datetime
import decimal
import re
import unicodedata
from collections.abc import Iterable, Sequence
from decimal import Decimal

from ..schema import Column, written
from .kind import Row

__all__ = [
    "MORE",
    "MOST",
    "THAN",
    "differ",
    "folded",
    "in_order",
    "is_date",
    "other_values",
    "rank",
    "ranked",
    "same",
    "unlike",
    "written_rank",
]

MORE = {False: ("higher", "lower"), True: ("later", "earlier")}
"""Whether dates are compared, to the two comparatives."""
MOST = {False: ("highest", "lowest"), True: ("latest", "earliest")}
THAN = {False: ("above", "below"), True: ("after", "before")}

_ISO = re.compile(r"\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d(?:\.\d+)?)?")


def rank(value: object) -> Decimal | None:
    """What numbers and dates are ordered by; None for all else, infinities and times with a zone."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float | Decimal):
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        return number if number.is_finite() else None
    if isinstance(value, datetime.datetime):
        if value.tzinfo is not None:
            return None
        seconds = ((value.toordinal() * 24 + value.hour) * 60 + value.minute) * 60 + value.second
        return Decimal(seconds) + Decimal(value.microsecond).scaleb(-6)
    return Decimal(value.toordinal()) if isinstance(value, datetime.date) else None


def is_date(value: object) -> bool:
    """Whether a value is a date, with a time of day or without."""
    return isinstance(value, datetime.date)


def ranked(column: Column, rows: Iterable[Row]) -> bool:
    """Whether all rows can be ordered by a column, without ties."""
    ranks = [rank(row[column.name]) for row in rows]
    return None not in ranks and len(set(ranks)) == len(ranks)


def in_order(rows: Iterable[Row], column: str, highest: bool) -> list[Row]:
    """Rows by a column that all can be ordered by, from the highest or from the lowest on."""
    return sorted(rows, key=lambda row: rank(row[column]) or Decimal(0), reverse=highest)


def written_rank(text: str) -> Decimal | str | None:
    """What a written number or date is ordered by; None for any other text."""
    if _ISO.fullmatch(text):
        return text  # ISO 8601 orders as text
    try:
        number = Decimal(text)
    except decimal.InvalidOperation:
        return None
    return number if number.is_finite() else None


def same(one: str, other: str) -> bool:
    """Whether two texts are the same but for case, width and spacing."""
    return folded(one) == folded(other)


def unlike(one: str, other: str) -> bool:
    """Whether two texts are clearly not the same: other numbers or dates, or texts of which none is in the other."""
    first, second = written_rank(one), written_rank(other)
    if first is not None and second is not None:
        return first != second
    return folded(one) not in folded(other) and folded(other) not in folded(one)


def differ(texts: Sequence[str | None]) -> bool:
    """Whether all texts are there and no two are the same."""
    found = {folded(text) for text in texts if text is not None}
    return len(found) == len(texts)


def other_values(column: str, value: str, rows: Iterable[Row]) -> list[str]:
    """Values of the same column in other rows that are clearly not this one: hard negatives."""
    found = (written(row[column]) for row in rows)
    return sorted({text for text in found if text is not None and unlike(text, value)})


def folded(text: str) -> str:
    """A text, its case, width and spacing left aside."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
