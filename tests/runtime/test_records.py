"""Which record a question names."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attar.runtime.errors import BundleError
from attar.runtime.records import Record, Records, write_records

ROWS = [
    ("country", "Guinea", ["Guinea"]),
    ("country", "Papua New Guinea", ["Papua New Guinea"]),
    ("country", "Côte d'Ivoire", ["Côte d'Ivoire"]),
    ("airport", "Teterboro (TEB)", ["Teterboro", "TEB"]),
    ("airport", "Theodore (THE)", ["Theodore", "THE"]),
    ("airport", "Capital (SPI)", ["Capital", "SPI"]),
    ("country", "Chad", ["Chad"]),
    ("airport", "Jackson County (MDZ)", ["Jackson County", "MDZ"]),
    ("airport", "Jackson County (19A)", ["Jackson County", "19A"]),
]


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Records:
    path = tmp_path_factory.mktemp("records") / "records.sqlite"
    write_records(
        path,
        [(Record(label, entity, f"{label}: {entity}"), names) for label, entity, names in ROWS],
        ["capital", "country", "airport"],
    )
    return Records(path)


@pytest.mark.parametrize(
    ("question", "entities"),
    [
        ("What is the capital of Guinea?", ["Guinea"]),
        ("what's PAPUA new  guinea's capital", ["Papua New Guinea"]),
        ("Côte d'Ivoire?", ["Côte d'Ivoire"]),
        ("Where is TEB?", ["Teterboro (TEB)"]),
        ("Where is the airport?", []),
        ("What is the capital of Chad?", ["Chad"]),
        ("Capital of chad?", ["Chad"]),
        ("Where is Capital?", ["Capital (SPI)"]),
        ("Is papua new Guinea large?", ["Papua New Guinea"]),
        ("Where is Jackson County?", ["Jackson County (MDZ)", "Jackson County (19A)"]),
        ("Where is Jackson County (19A)?", ["Jackson County (19A)"]),
        ("Where is Atlantis?", []),
        ("", []),
    ],
)
def test_the_longest_name_in_the_question_wins(records: Records, question: str, entities: list[str]) -> None:
    assert [record.entity for record in records.find(question)] == entities


def test_in_a_follow_up_a_columns_name_is_no_record(records: Records) -> None:
    assert records.find("And its capital?")[0].entity == "Capital (SPI)"
    assert records.find("And its capital?", follow_up=True) == []
    assert [record.entity for record in records.find("And Capital (SPI)?", follow_up=True)] == ["Capital (SPI)"]
    assert [record.entity for record in records.find("And the capital of Chad?", follow_up=True)] == ["Chad"]


def test_what_columns_and_tables_are_called_is_known(records: Records) -> None:
    assert records.labels() == {"capital", "country", "airport"}


def test_a_value_is_held_as_it_is_written_in_that_column_of_that_table(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite"
    rows = ["city:Cork\ncountry:Ireland\nriver:Lee", "city: Delft\ncountry: Netherlands"]
    write_records(path, [(Record("city", "", text), []) for text in rows])
    held = Records(path).hold
    assert held("city", "country", "Ireland") and held("city", "country", "Netherlands")
    assert not held("city", "river", "Le") and not held("city", "river", "Ireland") and not held("town", "river", "Lee")


def test_a_question_of_any_length_is_searched(records: Records) -> None:
    assert len(records) == len(ROWS)
    assert records.find("x " * 5000) == []


@settings(max_examples=100, deadline=None)
@given(st.text())
def test_no_question_breaks_the_search(records: Records, question: str) -> None:
    assert all(record.entity in {entity for _, entity, _ in ROWS} for record in records.find(question))


def test_a_file_that_is_no_database_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite"
    path.write_text("not a database")
    with pytest.raises(BundleError, match="records can't be read"):
        Records(path).find("Guinea")


def test_the_typical_record_has_median_length(tmp_path: Path) -> None:
    texts = ["a: long text", "b: x", "c: some"]
    write_records(tmp_path / "r.sqlite", [(Record("t", text[0], text), [text[0]]) for text in texts])
    assert Records(tmp_path / "r.sqlite").typical() == Record("t", "c", "c: some")
    write_records(tmp_path / "empty.sqlite", [])
    assert Records(tmp_path / "empty.sqlite").typical() is None
