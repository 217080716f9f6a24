"""What can be compared, by value and as written."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attar.pipeline.data.questions.values import other_values, rank, same, unlike, written_rank
from attar.pipeline.data.schema import written

NUMBERS = st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.decimals(-999, 999))
DATES = st.one_of(st.dates(), st.datetimes())


@given(
    st.one_of(st.tuples(NUMBERS, NUMBERS), st.tuples(st.dates(), st.dates()), st.tuples(st.datetimes(), st.datetimes()))
)
def test_values_are_ordered_as_they_are_written(pair: tuple[object, object]) -> None:
    one, other = (rank(value) for value in pair)
    first, second = (written_rank(str(written(value))) for value in pair)
    assert one is not None and other is not None and first is not None and second is not None
    assert (one < other, one == other) == (first < second, first == second)  # type: ignore[operator]


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        "12",
        float("nan"),
        float("inf"),
        Decimal("NaN"),
        datetime.time(8),
        datetime.datetime.now(datetime.UTC),
    ],
)
def test_what_has_no_order_has_no_rank(value: object) -> None:
    assert rank(value) is None


def test_a_hard_negative_is_clearly_another_value() -> None:
    rows = [{"c": "Europe"}, {"c": "EUROPE "}, {"c": "Eastern Europe"}, {"c": "Asia"}, {"c": None}, {"c": "Asia"}]
    assert other_values("c", "Europe", rows) == ["Asia"]
    assert other_values("c", "12", [{"c": 112}, {"c": 12.0}, {"c": 13}]) == ["112", "13"]


def test_case_width_and_spacing_make_no_difference() -> None:
    assert same("Ｃｏｒｋ  city", "cork CITY")
    assert not same("Cork", "Corks")
    assert not unlike("1.0", "1")
    assert unlike("2001-01-01", "2001-01-02")
