"""What a column's values are: the eight types that a schema knows, and how text and Arrow values become them.

Hands on :func:`converted`, whole columns at once, one cell at a time only where that fails. A value is never changed
to fit: what would lose a digit, a fraction or a zone does not fit. Does not know tables, rows or files.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation

import pyarrow as pa
import pyarrow.compute as pc

from .schema import written

__all__ = ["TEXT", "TYPES", "converted", "is_text", "possible_types"]

TEXT = "text"
TYPES: Mapping[str, pa.DataType] = {
    "integer": pa.int64(),
    "number": pa.float64(),
    "yes/no": pa.bool_(),
    "date": pa.date32(),
    "time": pa.time64("us"),
    "datetime": pa.timestamp("us"),
    "datetime with zone": pa.timestamp("us", "UTC"),
    TEXT: pa.large_string(),
}
"""Name of each type, in the order in which they are tried, to how Arrow holds its values."""

_CLOCK = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_PATTERNS = {
    "integer": r"^(0|-?[1-9][0-9]*)$",
    "number": r"^(-?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?|(?i:-?inf(inity)?|nan))$",
    "date": f"^{_DAY}$",
    "time": f"^{_CLOCK}$",
    "datetime": f"^{_DAY}[ T]{_CLOCK}$",
    "datetime with zone": f"^{_DAY}[ T]{_CLOCK}(Z|[+-][0-9]{{2}}:?[0-9]{{2}})$",
}
"""How text of a type looks. "00123" and "+45" are codes, not numbers; dates are ISO 8601."""
_WORDS = pa.array(["no", "No", "false", "False", "FALSE", "0", "yes", "Yes", "true", "True", "TRUE", "1"])
"""How yes and no look, the noes first. "NO" alone may be Norway."""
_NOES = 6
_SAFE_DIGITS = 15
"""Any number of so many digits survives a float (IEEE 754 binary64, its ``DBL_DIG``)."""
_FROM: Mapping[str, tuple[Callable[[pa.DataType], bool], ...]] = {
    "integer": (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal),
    "number": (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal),
    "yes/no": (pa.types.is_boolean, pa.types.is_integer),
    "date": (pa.types.is_date, lambda kind: pa.types.is_timestamp(kind) and kind.tz is None),
    "time": (pa.types.is_time,),
    "datetime": (lambda kind: pa.types.is_timestamp(kind) and kind.tz is None,),
    "datetime with zone": (lambda kind: pa.types.is_timestamp(kind) and kind.tz is not None,),
}
"""What Arrow types a type can be read from, beside text."""


def is_text(kind: pa.DataType) -> bool:
    """Whether values of this Arrow type are text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def possible_types(kind: pa.DataType, *, typed: bool) -> tuple[str, ...]:
    """The types, beside text, that a column of this Arrow type may be.

    Args:
        kind: The Arrow type.
        typed: Whether a text is one because its file says so; it may be a date even then, as JSON has none.
    """
    if is_text(kind):
        return tuple(name for name in TYPES if name != TEXT and not (typed and name in _UNTYPED))
    if pa.types.is_integer(kind):
        return "integer", "number"
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return ("number",)
    return tuple(name for name, tests in _FROM.items() if tests[0](kind))


_UNTYPED = ("integer", "number", "yes/no")


def converted(column: pa.Array, kind: str) -> tuple[pa.Array, pa.Array]:
    """A column's values as a type.

    Args:
        column: As it came, of any Arrow type.
        kind: A key of :data:`TYPES`.

    Returns:
        The values, NULL where nothing is recorded (empty text and not-a-number too) or a value does not fit; and
        booleans that are true where one does not fit.
    """
    column = _decoded(column)
    if is_text(column.type):
        given = _recorded_text(column, kind)
        values = given if kind == TEXT else _parsed(given, kind)
    else:
        given = _without_nan(column)
        values = _cast(given, kind)
    wrong = pc.and_(pc.is_valid(given), pc.is_null(values))
    if kind == TEXT and not is_text(column.type):
        wrong = pa.repeat(False, len(column))  # an empty list has no text, and is not recorded
    return _without_nan(values), wrong


def _decoded(column: pa.Array) -> pa.Array:
    """The values themselves, where the column holds numbers of a dictionary's entries."""
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _without_nan(values: pa.Array) -> pa.Array:
    if not pa.types.is_floating(values.type):
        return values
    return pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)


def _recorded_text(column: pa.Array, kind: str) -> pa.Array:
    texts = column.cast(pa.large_string())
    if kind != TEXT:
        texts = pc.utf8_trim_whitespace(texts)
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, texts.type), texts)


def _parsed(texts: pa.Array, kind: str) -> pa.Array:
    """Text as a type; NULL where it is not of that type."""
    if kind == "yes/no":
        return pc.greater_equal(pc.index_in(texts, value_set=_WORDS.cast(texts.type)), _NOES)
    looks = pc.match_substring_regex(texts, _PATTERNS[kind])
    texts = pc.if_else(looks, texts, pa.scalar(None, texts.type))
    try:
        if kind == "time":  # Arrow reads no times alone
            day = pa.scalar("1970-01-01T", texts.type)
            values = pc.binary_join_element_wise(day, texts, pa.scalar("", texts.type)).cast(pa.timestamp("us"))
        else:
            values = texts
        values = values.cast(TYPES[kind])
    except pa.ArrowInvalid:
        read = _READ[kind]
        values = pa.array([_read(text, read) for text in texts.to_pylist()], TYPES[kind])
    return _faithful(texts, values) if kind == "number" else _in_calendar(values)


def _faithful(texts: pa.Array, values: pa.Array) -> pa.Array:
    """Numbers, NULL where the text says more than a float holds."""
    short = pc.and_(
        pc.less_equal(pc.utf8_length(texts), _SAFE_DIGITS), pc.invert(pc.match_substring_regex(texts, "[eEfFaA]"))
    )
    sure = pc.or_(short, pc.equal(values.cast(pa.large_string()), texts))
    if pc.all(sure, min_count=0).as_py():
        return values
    doubted = pc.fill_null(pc.invert(sure), False)
    kept = [_keeps(text, value) for text, value in _pairs(texts, values, doubted)]
    right = pc.replace_with_mask(pc.is_valid(values), doubted, pa.array(kept, pa.bool_()))
    return pc.if_else(right, values, pa.scalar(None, values.type))


def _pairs(texts: pa.Array, values: pa.Array, chosen: pa.Array) -> zip[tuple[str, float]]:
    return zip(texts.filter(chosen).to_pylist(), values.filter(chosen).to_pylist(), strict=True)


def _keeps(text: str, value: float) -> bool:
    """Whether a float is what a text says, in its shortest digits or in the 17 that some programs write."""
    try:
        said = Decimal(text)
    except InvalidOperation:
        return False
    if not said.is_finite():
        return True
    return said in (Decimal(repr(value)), Decimal(f"{value:.17g}"))


def _cast(column: pa.Array, kind: str) -> pa.Array:
    """Arrow values of other types than text as a type; NULL where they do not fit."""
    target = TYPES[kind]
    if pa.types.is_null(column.type):
        return pa.nulls(len(column), target)
    if kind == TEXT:
        return pa.array([_read(value, written) for value in _values(column)], target)
    if not any(test(column.type) for test in _FROM[kind]):
        return pa.nulls(len(column), target)
    if kind == "number" and pa.types.is_decimal(column.type):  # Arrow makes 0.09999999999999999 of a decimal 0.1
        return _parsed(column.cast(pa.large_string()), kind)
    try:
        values = column.cast(target)
        back = values.cast(column.type)
        same = pc.equal(back, column)
        return _in_calendar(pc.if_else(same, values, pa.scalar(None, target)))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        read = _FIT[kind]
        return pa.array([_read(value, read) for value in _values(column)], target)


def _values(column: pa.Array) -> list[object]:
    """Python's values; None for a date that Python can't hold."""
    try:
        return list(column.to_pylist())
    except (ValueError, OverflowError):
        return [_read(scalar, lambda scalar: scalar.as_py()) for scalar in column]


def _in_calendar(values: pa.Array) -> pa.Array:
    """Dates, NULL where they are before the year 1 or after 9999, which Python can't hold."""
    kind = values.type
    if not (pa.types.is_date(kind) or pa.types.is_timestamp(kind)):
        return values
    limits = (datetime.datetime.min, datetime.datetime.max)
    days = (limit.date() if pa.types.is_date(kind) else limit for limit in limits)
    first, last = (pa.scalar(day, pa.date32() if pa.types.is_date(kind) else pa.timestamp("us")) for day in days)
    plain = values if pa.types.is_date(kind) else values.cast(pa.timestamp("us"))
    inside = pc.and_(pc.greater_equal(plain, first), pc.less_equal(plain, last))
    return pc.if_else(inside, values, pa.scalar(None, kind))


def _read(value: object, read: Callable[..., object]) -> object:
    """A value by a function that raises where it does not fit."""
    if value is None:
        return None
    try:
        return read(value)
    except (ValueError, OverflowError, TypeError, ArithmeticError):
        return None


def _whole(value: float | Decimal | str) -> int:
    number = int(value)
    if not -(2**63) <= number < 2**63 or (not isinstance(value, str) and number != value):
        raise ValueError("not an integer of 64 bits")
    return number


def _float(value: int | float | Decimal) -> float:
    number = float(value)
    if Decimal(repr(number)) != Decimal(value):
        raise ValueError("more digits than a float holds")
    return number


def _yes(value: object) -> bool:
    if value not in (0, 1):
        raise ValueError("neither yes nor no")
    return bool(value)


def _microseconds(value: datetime.datetime | datetime.time) -> object:
    if getattr(value, "nanosecond", 0):
        raise ValueError("finer than microseconds")
    return value


def _day(value: datetime.date) -> datetime.date:
    if isinstance(value, datetime.datetime) and value.time() != datetime.time():
        raise ValueError("not a day alone")
    return value


_READ: Mapping[str, Callable[..., object]] = {
    "integer": _whole,
    "number": float,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    "datetime": datetime.datetime.fromisoformat,
    "datetime with zone": datetime.datetime.fromisoformat,
}
"""Text that looks right, one cell at a time."""
_FIT: Mapping[str, Callable[..., object]] = {
    "integer": _whole,
    "number": _float,
    "yes/no": _yes,
    "date": _day,
    "time": _microseconds,
    "datetime": _microseconds,
    "datetime with zone": _microseconds,
}
"""Values of other types than text, one at a time."""
