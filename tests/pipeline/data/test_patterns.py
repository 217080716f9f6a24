"""Patterns: what is drawn fits the column, is in no row, and can be read back."""

from __future__ import annotations

import datetime
import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attar.pipeline.data.patterns import Patterns
from attar.pipeline.data.schema import written
from tests.pipeline.data.questions.scenes import quickstart


def patterns(values: list[object]) -> Patterns:
    return Patterns([{"x": value} for value in values], ["x"])


def drawn(values: list[object], count: int = 50) -> list[str]:
    made, rng = patterns(values), random.Random(0)
    return [text for _ in range(count) if (text := made.draw("x", rng)) is not None]


def test_codes_keep_their_shape_and_are_new() -> None:
    texts = drawn(["DK-12", "SE-70", "NO-33"])
    assert len(set(texts)) > 20
    assert all(text[:2].isupper() and text[2] == "-" and text[3:].isdigit() and len(text) == 5 for text in texts)
    assert not {"DK-12", "SE-70", "NO-33"} & set(texts)


def test_names_are_words_of_the_column_put_together_anew() -> None:
    texts = drawn(["San Marino", "New Zealand", "Costa Rica", "Sri Lanka"])
    assert "San Zealand" in texts
    assert all(text.split()[0] in ("San", "New", "Costa", "Sri") for text in texts)
    single = drawn(["Copenhagen", "Stockholm", "Helsinki"])
    assert "Copenholm" in single
    assert not {"Copenhagen", "Stockholm", "Helsinki"} & set(single)


def test_numbers_keep_length_decimals_sign_and_range() -> None:
    assert all(1000 <= int(text) <= 4999 for text in drawn([1000, 4999]))
    texts = drawn([12.25, 99.75, -3.5])
    assert {len(text.partition(".")[2]) for text in texts} == {1, 2}
    assert all(-3.5 <= float(text) <= 99.75 for text in texts)
    assert all(float(text) < 0 for text in texts if len(text.partition(".")[2]) == 1)


def test_dates_are_days_between_the_first_and_the_last() -> None:
    days = [datetime.date(2000, 1, 1), datetime.date(2000, 12, 31)]
    assert all(text.startswith("2000-") for text in drawn(list(days)))
    assert isinstance(patterns(list(days)).value("x", "2000-02-29"), datetime.date)
    assert all(datetime.date.fromisoformat(text) for text in drawn([str(day) for day in days]))


@pytest.mark.parametrize("values", [[True, False], [["a"], ["b"]], [None, None], [1, "one"], [0, 1], ["a " * 9 + "b"]])
def test_what_has_no_pattern_or_nothing_new_is_left_alone(values: list[object]) -> None:
    assert drawn(values) == []


def test_what_does_not_fit_is_told_apart() -> None:
    made = patterns(["DK-12", "SE-70"])
    assert made.fit("x", "NO-99")
    assert not made.fit("x", "DK-12"), "a row has it"
    assert not made.fit("x", "DK-123")
    assert not made.fit("y", "DK-13")
    assert not patterns([10, 50]).fit("x", "51")
    assert not patterns([10, 50]).fit("x", "many")
    with pytest.raises(ValueError, match="no pattern"):
        patterns([True]).value("x", "yes")


def test_what_is_made_like_some_rows_fits_all_of_them_and_is_in_none() -> None:
    for table in quickstart().tables:
        names = [column.name for column in table.schema.columns]
        some, every = Patterns(table.rows, names, range(0, len(table.rows), 2)), Patterns(table.rows, names)
        rng = random.Random(1)
        for name in names:
            known = {written(row[name]) for row in table.rows}
            texts = [text for _ in range(20) if (text := some.draw(name, rng)) is not None]
            assert all(every.fit(name, text) and text not in known for text in texts)
            assert all(written(every.value(name, text)) == text for text in texts)


VALUES = st.one_of(
    st.lists(st.text(max_size=30), min_size=1),
    st.lists(st.integers(), min_size=1),
    st.lists(st.floats(), min_size=1),
    st.lists(st.decimals(allow_nan=False, allow_infinity=False, places=3), min_size=1),
    st.lists(st.dates(), min_size=1),
)


@given(VALUES)
def test_of_any_column_a_drawn_value_fits_and_is_new(values: list[object]) -> None:
    made, known = patterns(values), {written(value) for value in values}
    for text in drawn(values, 5):
        assert made.fit("x", text)
        assert text not in known
        assert written(made.value("x", text)) == text
        assert not isinstance(made.value("x", text), Decimal) or Decimal(text) == made.value("x", text)
