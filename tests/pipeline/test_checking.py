"""A config's tables are checked before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from attar.pipeline.checking import check_tables
from attar.pipeline.config.reading import parse_config
from attar.runtime.errors import DataError
from tests.pipeline.config.test_reading import SMALL


def check(folder: Path, *overrides: str, **options: object) -> None:
    data = {"tables": [{"path": "cities.csv", **options}], "test_share": 0.5}
    check_tables(parse_config(SMALL | {"data": data}, folder / "config.json", overrides))


def test_a_usable_table_passes(cities: Path) -> None:
    check(cities.parent, entity=["name", "country"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"path": "nowhere.csv"}, ["no such table", "data.tables.0: ", "nowhere.csv"]),
        ({"entity": ["nmae"]}, ["no column 'nmae'", "data.tables.0: ", "Did you mean 'name'?"]),
        ({"columns": {"size": "size"}}, ["no column 'size'", "name, country, population, founded"]),
    ],
)
def test_a_table_or_column_that_is_not_there_is_named(
    cities: Path, options: dict[str, object], said: list[str]
) -> None:
    with pytest.raises(DataError) as caught:
        check(cities.parent, **options)
    for words in said:
        assert words in str(caught.value)


@pytest.mark.parametrize(("share", "split"), [("1e-9", "test"), ("0.999999", "train")])
def test_an_empty_split_is_found(cities: Path, share: str, split: str) -> None:
    with pytest.raises(DataError, match=f"no sample to {split} with"):
        check(cities.parent, f"data.test_share={share}")
