"""The split is a property of the group: its hash decides, near-duplicates stay together, old rows stay put."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attar.pipeline.data.schema import Column, TableSchema
from attar.pipeline.data.splits import RowSplits, split_of, split_rows
from attar.runtime.errors import DataError

SCHEMA = TableSchema("note", ("name",), (Column("text", "text"),))
TEXT = (
    "a long text that stands in many rows of this table and hardly ever changes, whatever "
    "is said of it or of those who wrote it, and so it is by far the most of what there is to read in it"
)

Rows = list[tuple[str | None, str]]


def split(rows: Rows, salt: str = "s") -> RowSplits:
    numbered = ((number, {"name": name, "text": text}) for number, (name, text) in enumerate(rows))
    return split_rows(SCHEMA, numbered, salt=salt, test_share=0.5)


def of_rows(found: RowSplits) -> dict[int, str]:
    return {number: name for name, numbers in found.rows.items() for number in numbers}


def name_in(wanted: str, number: int = 0) -> str:
    names = (f"{letter}{number}" for letter in "abcdefghijklmnop")
    return next(name for name in names if split_of(f"note: {name}", salt="s", test_share=0.5) == wanted)


@given(st.text(), st.text())
def test_case_and_spacing_do_not_matter(entity: str, salt: str) -> None:
    folded = f"  {entity.casefold()}\t".replace(" ", "  ")
    assert split_of(entity, salt=salt, test_share=0.5) == split_of(folded, salt=salt, test_share=0.5)


def test_shares_are_kept_and_a_larger_share_only_adds() -> None:
    names = [f"entity {number}" for number in range(4000)]
    small, large = (
        {name for name in names if split_of(name, salt="s", test_share=share) == "test"} for share in (0.1, 0.3)
    )
    assert 0.08 < len(small) / 4000 < 0.12
    assert small < large
    assert small != {name for name in names if split_of(name, salt="other", test_share=0.1) == "test"}


WORDS = st.lists(st.sampled_from(["amber", "birch", "cedar", "dune", "7", "ebony"]), max_size=4).map(" ".join)
ROWS = st.lists(st.tuples(st.none() | WORDS, WORDS), max_size=12)


@settings(deadline=None)
@given(ROWS, ROWS)
def test_appended_rows_never_move_old_ones(old: Rows, new: Rows) -> None:
    before, after = split(old), split(old + new)
    assert of_rows(before).items() <= of_rows(after).items()
    assert set(before.left_out) == {number for number in after.left_out if number < len(old)}


@settings(deadline=None)
@given(ROWS)
def test_no_name_is_in_both_splits(rows: Rows) -> None:
    names: dict[str, set[str]] = {}
    for number, found in of_rows(split(rows)).items():
        names.setdefault((rows[number][0] or "").casefold(), set()).add(found)
    assert all(len(found) == 1 for found in names.values())


def test_a_near_duplicate_follows_the_row_that_came_first() -> None:
    for first, second in (("train", "test"), ("test", "train")):
        found = split([(name_in(first), TEXT), (name_in(second, 1), TEXT + "!")])
        assert found.rows[first] == [0, 1]
        assert found.near_duplicates == 1
        assert found.groups[first] == 1


def test_a_row_between_both_splits_is_left_out() -> None:
    other = "nothing of that kind, and no word of it anywhere"
    rows: Rows = [(name_in("train"), TEXT), (name_in("test"), other), (name_in("test"), TEXT)]
    found = split(rows)
    assert found.left_out == [2]
    assert found.rows == {"train": [0], "test": [1]}


def test_another_number_is_not_a_misspelling() -> None:
    rows: Rows = [(f"customer {number}", "active since 1999") for number in range(1000, 1100)]
    found = split(rows)
    assert found.near_duplicates == 0
    assert found.rows["train"] and found.rows["test"]


def test_a_table_that_repeats_itself_is_refused_with_its_rows() -> None:
    with pytest.raises(DataError, match="nearly repeat") as caught:
        split([(f"n{number}", TEXT) for number in range(30)])
    assert "row 0: note: n0; row 1: note: n1" in str(caught.value)
    assert "data.near_duplicates" in str(caught.value)
