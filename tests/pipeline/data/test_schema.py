"""Readable names, the entity, and one written form for each value."""

from __future__ import annotations

import datetime
import decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attar.pipeline.data.inference import infer_schema
from attar.pipeline.data.schema import humanize, written
from attar.runtime.errors import DataError


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("capital", "capital"),
        ("unit_price_usd", "unit price (USD)"),
        ("areaKm2", "area (km²)"),
        ("ISO_code", "ISO code"),
        ("m", "m"),
        ("birth-date", "birth date"),
        ("_", "_"),
    ],
)
def test_names_are_written_as_people_say_them(name: str, label: str) -> None:
    assert humanize(name) == label


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("", None),
        ("  a \n b ", "a b"),
        (float("nan"), None),
        (3.0, "3"),
        (1e21, "1000000000000000000000"),
        (31.95376472, "31.95376472"),
        (1e-7, "0.0000001"),
        (0.0, "0"),
        (-0.5, "-0.5"),
        (100, "100"),
        (decimal.Decimal("10.50"), "10.5"),
        (True, "yes"),
        (False, "no"),
        (datetime.date(2026, 11, 23), "2026-11-23"),
        (datetime.datetime(2026, 11, 23, 4, 5), "2026-11-23 04:05:00"),
        (["DKK", None, "EUR"], "DKK, EUR"),
        ([], None),
        ({"a": 1, "b": None}, "a: 1"),
    ],
)
def test_each_value_has_one_written_form(value: object, text: str | None) -> None:
    assert written(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_written_number_reads_back_as_the_same_number(value: float) -> None:
    text = written(value)
    assert text is not None
    assert float(text) == value
    assert "e" not in text


def test_the_entity_is_the_first_text_column_without_repeats_and_gaps() -> None:
    table = pa.table({"id": [1, 2], "kind": ["a", "a"], "title": ["x", "y"], "note": ["p", "q"]})
    schema = infer_schema(table, "thing")
    assert schema.entity == ("title",)
    assert [column.name for column in schema.columns] == ["id", "kind", "note"]


def test_the_second_entity_column_tells_equal_names_apart() -> None:
    table = pa.table({"name": ["Cork", "Cork", None], "code": ["IE", None, "X"]})
    schema = infer_schema(table, "city", ["name", "code"])
    assert [schema.entity_of(row) for row in table.to_pylist()] == ["Cork (IE)", "Cork", None]


def test_a_wrong_column_is_an_error_that_names_the_nearest() -> None:
    table = pa.table({"name": ["x"], "population": [1]})
    with pytest.raises(DataError, match="no column 'popluation'") as caught:
        infer_schema(table, "city", None, {"popluation": "population"})
    assert caught.value.next_step == "Did you mean 'population'?"


def test_a_table_of_one_column_has_nothing_to_ask_for() -> None:
    with pytest.raises(DataError, match="no column to ask for"):
        infer_schema(pa.table({"name": ["x"]}), "city")
