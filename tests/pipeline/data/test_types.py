"""Text and Arrow values as a type: what fits, what does not, and that nothing is changed to fit."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attar.pipeline.data.types import TYPES, converted

DAY = datetime.datetime(2024, 5, 1)
UTC = datetime.UTC


def read(values: list[Any], kind: str, arrow: pa.DataType | None = None) -> list[Any]:
    found, wrong = converted(pa.array(values, arrow), kind)
    pairs = zip(found.to_pylist(), wrong.to_pylist(), strict=True)
    assert found.type == TYPES[kind]
    return ["wrong" if bad else value for value, bad in pairs]


@pytest.mark.parametrize(
    ("kind", "texts", "values"),
    [
        ("integer", ["12", " 5 ", "-7", "", None, str(2**63 - 1)], [12, 5, -7, None, None, 2**63 - 1]),
        ("integer", ["00123", "+4", "-0", "1.0", str(2**63), "x"], ["wrong"] * 6),
        ("number", ["1.5", "-.5", "1e3", "nan", "-inf"], [1.5, -0.5, 1000.0, None, float("-inf")]),
        ("number", ["0.30000000000000004", "0.10000000000000001"], [0.1 + 0.2, 0.1]),
        ("number", ["3.14159265358979323846", "1e999", "1e-999", "007.5", "+1.5", "1,5", "9007199254740993"],
         ["wrong"] * 7),
        ("yes/no", ["yes", "No", "true", "FALSE", "1", "0"], [True, False, True, False, True, False]),
        ("yes/no", ["NO", "2", "n/a"], ["wrong"] * 3),
        ("date", ["2024-02-29", "0001-01-01", ""], [datetime.date(2024, 2, 29), datetime.date.min, None]),
        ("date", ["2023-02-29", "0000-01-01", "2024-1-1", "01/02/2024", "20240101"], ["wrong"] * 5),
        ("time", ["08:30", "08:30:01.5"], [datetime.time(8, 30), datetime.time(8, 30, 1, 500_000)]),
        ("time", ["24:00", "8:30"], ["wrong"] * 2),
        ("datetime", ["2024-05-01 00:00", "2024-05-01T00:00:00"], [DAY, DAY]),
        ("datetime", ["2024-05-01T00:00:00Z", "2024-05-01", "2024-05-01 25:00"], ["wrong"] * 3),
        ("datetime with zone", ["2024-05-01T02:00+02:00", "2024-05-01 00:00:00Z"], [DAY.replace(tzinfo=UTC)] * 2),
        ("text", ["00123", " x ", "", None], ["00123", " x ", None, None]),
    ],
)  # fmt: skip
def test_text_is_read_as_a_type_or_does_not_fit(kind: str, texts: list[str | None], values: list[Any]) -> None:
    assert read(texts, kind, pa.string()) == values
    for text, value in zip(texts, values, strict=True):  # whatever stands beside it
        assert read([text], kind, pa.string()) == [value]


@pytest.mark.parametrize(
    ("kind", "given", "values"),
    [
        ("integer", [1.0, 2.5, float("nan")], [1, "wrong", None]),
        ("integer", [True], ["wrong"]),
        ("number", [1, 2**53 + 1], [1.0, "wrong"]),
        ("number", [Decimal("0.1"), Decimal("1234567890.12345678901")], [0.1, "wrong"]),
        ("yes/no", [0, 1, 2], [False, True, "wrong"]),
        ("date", [DAY, DAY.replace(hour=1)], [DAY.date(), "wrong"]),
        ("datetime", [DAY.date()], ["wrong"]),
        ("datetime", [DAY.replace(tzinfo=UTC)], ["wrong"]),
        ("text", [["DKK", None, "EUR"], []], ["DKK, EUR", None]),
        ("text", [{"a": 1, "b": None}], ["a: 1"]),
    ],
)
def test_typed_values_keep_their_value_or_do_not_fit(kind: str, given: list[Any], values: list[Any]) -> None:
    assert read(given, kind) == values


def test_a_time_finer_than_microseconds_does_not_fit_and_is_kept_as_text() -> None:
    moment = pa.array([1714521600000000001], pa.int64()).cast(pa.timestamp("ns"))
    assert converted(moment, "datetime")[1].to_pylist() == [True]
    assert converted(moment, "text")[0].to_pylist() == ["2024-05-01 00:00:00.000000001"]


@given(st.lists(st.floats(allow_nan=False) | st.none(), min_size=1))
def test_any_float_is_read_back_from_its_digits(values: list[float | None]) -> None:
    assert read([None if value is None else repr(value) for value in values], "number", pa.string()) == values
