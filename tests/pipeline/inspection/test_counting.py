"""Figures of a column: right in any order of batches, in memory that stays the same."""

from __future__ import annotations

import datetime

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from attar.pipeline.inspection.counting import ColumnTally, Distinct, histogram


def tallied(values: list[object], size: int = 3, type: pa.DataType | None = None) -> ColumnTally:  # noqa: A002
    tally = ColumnTally("column")
    for first in range(0, len(values), size):
        tally.add(pa.array(values[first : first + size], type), first)
    return tally


@given(st.lists(st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"])))), st.integers(1, 5))
def test_texts_are_counted_batch_by_batch(values: list[object], size: int) -> None:
    tally = tallied(values, size, pa.string())
    recorded = [text for value in values if value is not None and (text := str(value).strip())]
    assert (tally.rows, tally.gaps) == (len(values), len(values) - len(recorded))
    assert tally.distinct.count == len(set(recorded))


@given(st.lists(st.one_of(st.none(), st.integers(-(2**60), 2**60))))
def test_numbers_are_counted_batch_by_batch(values: list[object]) -> None:
    tally = tallied(values, type=pa.int64())
    assert tally.gaps == values.count(None)
    assert tally.distinct.count == len({*values} - {None})


def test_what_is_not_a_number_or_a_list_of_nothing_is_a_gap() -> None:
    assert tallied([1.5, float("nan"), None], type=pa.float64()).gaps == 2
    assert tallied([["a"], [], None]).gaps == 2


def test_distinct_values_beyond_the_limit_are_estimated() -> None:
    rng = np.random.default_rng(0)
    distinct = Distinct(kept=1024)
    hashes = rng.integers(0, 2**64, 50_000, np.uint64)
    for part in np.split(np.concatenate([hashes, hashes]), 20):
        distinct.add(part)
    assert not distinct.exact
    assert abs(distinct.count / 50_000 - 1) < 0.1


def test_the_longest_texts_are_found_with_their_rows() -> None:
    tally = tallied(["a" * length for length in (3, 900, 1, 700, 2, 5, 600, 4, 1, 1, 1, 2, 2, 8)])
    assert tally.longest[:3] == [(900, 1), (700, 3), (600, 6)]
    assert len(tally.longest) == 10


def test_texts_that_are_odd_are_marked_with_their_rows() -> None:
    tally = tallied(["plain", "=SUM(A1)", "b\ufffdrk", "a = b", "=1"])
    assert tally.marked == {
        "begin like a formula": (1, [1]),
        "hold characters that could not be read": (1, [2]),
    }


def test_numbers_and_dates_have_histograms_and_texts_have_none() -> None:
    numbers = histogram([0, 5, 10.0])
    assert numbers is not None and (numbers.least, numbers.most, sum(numbers.counts)) == ("0", "10", 3)
    dates = histogram([datetime.date(2020, 1, 1), datetime.datetime(2021, 6, 1, 12)])
    assert dates is not None and (dates.least, dates.most) == ("2020-01-01", "2021-06-01")
    assert histogram(["a", "b"]) is None
    assert histogram([4, 4]) is None
    assert histogram([]) is None
