"""What a table's columns mean: readable names, the entity, and one written form for each value.

Hands on a ``TableSchema`` and the text of every cell. Does not know where the rows or the schema come from.
"""

from __future__ import annotations

import datetime
import decimal
import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from attar.runtime.errors import DataError

__all__ = [
    "Column",
    "TableSchema",
    "humanize",
    "nearest_name",
    "refuse_bytes",
    "require_columns",
    "written",
]

_UNITS = {
    "usd": "USD", "eur": "EUR", "gbp": "GBP", "percent": "%", "pct": "%",
    "mm": "mm", "cm": "cm", "m": "m", "km": "km", "km2": "km²", "m2": "m²", "pm": "pm", "nm": "nm",
    "mg": "mg", "g": "g", "kg": "kg", "ms": "ms", "kmh": "km/h", "kwh": "kWh",
}  # fmt: skip
"""Last words of a column's name that are read as its unit."""


@dataclass(frozen=True)
class Column:
    """One column: its name in the source, how people call it, and of which type its values are."""

    name: str
    label: str
    type: str = "text"


@dataclass(frozen=True)
class TableSchema:
    """What one row is, what names it, and what is known of it.

    Attributes:
        label: What one row is, such as "airport".
        entity: Names of the columns that name a row; the first is its name, the others tell
            rows of the same name apart.
        columns: The columns that records show and questions ask for.
        unasked: Columns that are read for their names' sake alone.
    """

    label: str
    entity: tuple[str, ...]
    columns: tuple[Column, ...]
    unasked: tuple[Column, ...] = ()

    @property
    def types(self) -> dict[str, str]:
        """Name to type of all columns that are read."""
        return {column.name: column.type for column in (*self.unasked, *self.columns)}

    def entity_of(self, row: Mapping[str, object]) -> str | None:
        """How a row is called, such as "Forbes (FOE)"; None where its name is missing."""
        values = [written(row[name]) for name in self.entity]
        if values[0] is None:
            return None
        rest = ", ".join(value for value in values[1:] if value is not None)
        return f"{values[0]} ({rest})" if rest else values[0]

    def names_of(self, row: Mapping[str, object]) -> list[str]:
        """The values that name a row, each on its own."""
        return [value for name in self.entity if (value := written(row[name])) is not None]

    def facts_of(self, row: Mapping[str, object]) -> list[tuple[Column, str]]:
        """The columns that are recorded for a row, each with its written value."""
        pairs = ((column, written(row[column.name])) for column in self.columns)
        return [(column, value) for column, value in pairs if value is not None]


def humanize(name: str) -> str:
    """A column's name as people say it: ``unit_price_usd`` is "unit price (USD)"."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    words = [word for word in re.split(r"[\s_\-.]+", spaced) if word]
    unit = _UNITS.get(words[-1].lower()) if len(words) > 1 else None
    kept = [word if word.isupper() else word.lower() for word in (words[:-1] if unit else words)]
    text = " ".join(kept) or name
    return f"{text} ({unit})" if unit else text


def written(value: object) -> str | None:
    """The one written form of a value; None for NULL, empty text and not-a-number."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (float, decimal.Decimal)):
        return _written_number(value)
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return ", ".join(text for text in map(written, value) if text is not None) or None
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {text}" for key, item in value.items() if (text := written(item))) or None
    return " ".join(str(value).split()) or None


def _written_number(value: float | decimal.Decimal) -> str | None:
    """Shortest digits that read back as the same number, never in exponents."""
    number = decimal.Decimal(repr(value)) if isinstance(value, float) else value
    if number.is_nan():
        return None
    if number.is_infinite():
        return str(number)
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def require_columns(label: str, wanted: Sequence[str], names: Sequence[str]) -> None:
    """Check that a table has the columns that it is to have.

    Raises:
        DataError: It lacks one; the nearest name is told.
    """
    known = set(names)
    for name in wanted:
        if name not in known:
            raise DataError(
                f"The table {label!r} has no column {name!r}.",
                why=f"Its columns are: {', '.join(names)}.",
                next_step=nearest_name(name, names),
            )


def refuse_bytes(name: str, kind: pa.DataType) -> None:
    """Check that a column's values can be asked for.

    Raises:
        DataError: They are bytes.
    """
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        raise DataError(
            f"The column {name!r} holds bytes, which can't be asked for.",
            next_step="Leave it out (columns, or the query), or make it text: a text file has to be in UTF-8.",
        )


def nearest_name(name: str, names: Sequence[str]) -> str:
    """What to do about a name that is not there."""
    near = difflib.get_close_matches(name, names, n=1)
    return f"Did you mean {near[0]!r}?" if near else "Use one of these names."
