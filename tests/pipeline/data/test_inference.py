"""The first pass: types from a sample, widened; the entity from every row."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest

from attar.pipeline.data.batches import Batch
from attar.pipeline.data.inference import infer_from
from attar.pipeline.data.schema import TableSchema
from attar.runtime.errors import DataError


def inferred(*tables: dict[str, Sequence[Any]], typed: bool = False, **options: Any) -> TableSchema:
    return infer_from([Batch(pa.record_batch(table), "t", typed=typed) for table in tables], "thing", **options)


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (["1", "-2", ""], "integer"),
        (["1", "2.5"], "number"),
        (["1", "nan"], "integer"),
        (["nan", "nan"], "text"),
        (["1", "n/a"], "text"),
        (["00123", "00456"], "text"),
        (["1", "12345678901234567890123"], "text"),
        (["yes", "no"], "yes/no"),
        (["NO", "NO"], "text"),
        (["2024-05-01", "2023-01-31"], "date"),
        (["2024-05-01", "2024-05-01 12:00"], "text"),
        (["2024-05-01 12:00", "2024-05-01T13:00:01"], "datetime"),
        (["", ""], "text"),
    ],
)
def test_the_type_is_the_narrowest_that_all_values_fit(texts: list[str], kind: str) -> None:
    names = ["a"] * len(texts)
    assert inferred({"name": names, "value": texts}).types["value"] == kind
    apart = [{"name": ["a"], "value": [text]} for text in texts]
    assert inferred(*apart).types["value"] == kind


def test_text_of_a_typed_file_is_text_unless_it_is_all_dates() -> None:
    table = {"name": ["a", "b"], "code": ["1", "2"], "day": ["2024-05-01", "2024-05-02"]}
    assert inferred(table, typed=True).types == {"name": "text", "code": "text", "day": "date"}


def test_batches_of_several_types_and_columns_find_a_common_schema() -> None:
    schema = inferred(
        {"name": ["a"], "n": [1], "m": [1]}, {"name": ["b"], "n": [2.5], "m": ["x"]}, {"z": [True]}, typed=True
    )
    assert schema.types == {"name": "text", "n": "number", "m": "text", "z": "yes/no"}


def test_a_repeat_far_away_or_a_gap_keeps_a_column_from_naming_rows() -> None:
    ids = [[f"{batch}-{row}" for row in range(50)] for batch in range(20)]
    again = [*ids[:-1], [*ids[-1][:-1], "0-0"]]
    gaps = [*ids[:-1], [*ids[-1][:-1], None]]
    tables = [
        {"again": one, "gaps": two, "number": list(range(50)), "id": three}
        for one, two, three in zip(again, gaps, ids, strict=True)
    ]
    assert inferred(*tables, typed=True).entity == ("id",)
    assert inferred(*[{"gaps": table["gaps"], "x": table["again"]} for table in tables]).entity == ("gaps",)


def test_a_column_that_comes_late_has_gaps() -> None:
    assert inferred({"x": ["p", "p"]}, {"x": ["q"], "id": ["a"]}, typed=True).entity == ("x",)


def test_a_column_called_nan_is_one_as_any_other() -> None:
    schema = inferred({"name": ["a", "b"], "nan": ["1", "2"]})
    assert schema.types["nan"] == "integer"
    assert [column.label for column in schema.columns] == ["nan"]


def test_bytes_that_are_asked_for_are_refused_and_others_are_not() -> None:
    table = {"name": ["a"], "x": [1], "photo": [b"\0"]}
    with pytest.raises(DataError, match="'photo' holds bytes"):
        inferred(table, typed=True)
    assert inferred(table, typed=True, columns={"x": "x"}).types == {"name": "text", "x": "integer"}


def test_ten_thousand_columns_do_not_take_minutes() -> None:
    columns = {f"c{number}": [str(number), "x" if number % 2 else "1"] for number in range(10_000)}
    begun = time.process_time()
    schema = inferred(columns)
    assert len(schema.columns) == 9_999
    assert time.process_time() - begun < 60
