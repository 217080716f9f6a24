"""The second pass: what fits is read, what does not is named, and too much of it stops."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from attar.pipeline import StructuredDataLoader
from attar.pipeline.data import rows as rows_module
from attar.pipeline.data.schema_file import write_schemas
from attar.runtime.errors import DataError, UsageError


def numbers(path: Path, count: int, bad: dict[int, str]) -> Path:
    lines = [f"n{number},{bad.get(number, str(number))},2024-05-01" for number in range(count)]
    path.write_text("\n".join(["name,value,day", *lines]) + "\n")
    return path


def test_a_late_bad_value_is_left_out_with_its_line(tmp_path: Path) -> None:
    path = numbers(tmp_path / "t.csv", 45_000, {39_999: "n/a"})
    table = StructuredDataLoader().load_from_csv(path)
    assert table.schema.types["value"] == "integer"
    assert len(table.rows) == 44_999
    assert [row["value"] for row in table.rows[39_998:40_000]] == [39_998, 40_000]
    assert list(table.rejects) == [
        {
            "source": str(path),
            "line": 40_001,
            "row": 39_999,
            "column": "value",
            "value": "n/a",
            "reason": "not an integer",
        }
    ]


def test_too_many_rejects_stop_with_counts_and_the_first_of_them(tmp_path: Path) -> None:
    path = numbers(tmp_path / "t.csv", 100, {3: "x", 70: "y"})
    table = StructuredDataLoader().load_from_csv(numbers(tmp_path / "right.csv", 100, {}))
    write_schemas(tmp_path / "schema.json", [table])
    with pytest.raises(DataError, match="Too many rows") as caught:
        StructuredDataLoader().load_from_csv(path, schema_file=tmp_path / "schema.json")
    assert "2 of 100 rows" in str(caught.value.why)
    assert "line 5, column 'value', 'x': not an integer." in str(caught.value.why)
    assert "max_rejects" in str(caught.value.next_step)
    more = StructuredDataLoader().load_from_csv(path, schema_file=tmp_path / "schema.json", max_rejects=0.02)
    assert (len(more.rows), len(more.rejects)) == (98, 2)


def test_an_edited_schema_is_followed(tmp_path: Path) -> None:
    path = numbers(tmp_path / "t.csv", 30, {})
    file = tmp_path / "schema.json"
    write_schemas(file, [StructuredDataLoader().load_from_csv(path)])
    text = json.loads(file.read_text())
    assert text["tables"][0]["columns"][1] == {"name": "value", "label": "value", "type": "integer"}
    text["tables"][0]["columns"][1] |= {"type": "text", "label": "worth"}
    text["tables"][0]["columns"][2]["asked"] = False
    file.write_text(json.dumps(text))
    loader = StructuredDataLoader()
    table = loader.load_from_csv(path, schema_file=file)
    assert table.rows[7]["value"] == "7"
    assert next(loader.records())[3] == "t:n0\nworth:0"
    with pytest.raises(UsageError):
        loader.load_from_csv(path, schema_file=file, entity="name")


@pytest.mark.parametrize(
    ("change", "what", "hint"),
    [
        ({"type": "interger"}, "'interger'", "'integer'"),
        ({"name": "valeu"}, "no column 'valeu'", "'value'"),
        ({"lable": "x"}, "'lable'", "'label'"),
    ],
)
def test_a_wrong_schema_is_an_error_that_names_the_nearest(
    tmp_path: Path, change: dict[str, str], what: str, hint: str
) -> None:
    path, file = numbers(tmp_path / "t.csv", 30, {}), tmp_path / "schema.json"
    write_schemas(file, [StructuredDataLoader().load_from_csv(path)])
    text = json.loads(file.read_text())
    text["tables"][0]["columns"][1] |= change
    file.write_text(json.dumps(text))
    with pytest.raises(DataError, match=what) as caught:
        StructuredDataLoader().load_from_csv(path, schema_file=file)
    assert hint in str(caught.value.next_step)


def test_rows_on_disk_are_those_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = numbers(tmp_path / "t.csv", 12_345, {})
    held = StructuredDataLoader().load_from_csv(path).rows
    monkeypatch.setattr(rows_module, "_HELD_ROWS", 100)
    filed = StructuredDataLoader().load_from_csv(path).rows
    assert type(filed) is not type(held)
    assert list(filed) == list(held)
    assert len(filed) == len(held) == 12_345
    assert [filed[number] for number in (0, 999, 1000, 10_000, -1)] == [held[n] for n in (0, 999, 1000, 10_000, -1)]
    assert list(filed.columns(["day", "value"])) == list(held.columns(["day", "value"]))
    with pytest.raises(IndexError):
        filed[12_345]
