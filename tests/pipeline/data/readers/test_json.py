"""JSON: arrays without holding them, lines without losing one unseen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attar.pipeline.data.readers import json as reader
from attar.pipeline.data.readers import read_json
from attar.runtime.errors import DataError

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
ROWS = st.lists(st.dictionaries(st.sampled_from(["a", "b", "Ü c"]), TEXT, min_size=1), min_size=1, max_size=20)


def rows(path: Path) -> list[dict[str, Any]]:
    return [row for batch in read_json(path) for row in batch.rows.to_pylist()]


@pytest.fixture(params=[1, 7, 1 << 20])
def block(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arrays that are read in pieces so small that every value is cut somewhere."""
    monkeypatch.setattr(reader, "_BLOCK_LETTERS", request.param)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=ROWS, is_array=st.booleans(), is_ascii=st.booleans(), indent=st.sampled_from([None, 2]))
def test_any_rows_come_back(
    tmp_path: Path, block: None, written: list[dict[str, str]], is_array: bool, is_ascii: bool, indent: int | None
) -> None:
    if is_array:
        text = json.dumps(written, ensure_ascii=is_ascii, indent=indent)
    else:
        text = "".join(json.dumps(row, ensure_ascii=is_ascii) + "\n" for row in written)
    (tmp_path / "t.json").write_bytes(text.encode())
    names = dict.fromkeys(name for row in written for name in row)
    assert rows(tmp_path / "t.json") == [{name: row.get(name) for name in names} for row in written]


def test_values_of_every_kind_are_cut_anywhere_and_stay_whole(tmp_path: Path, block: None) -> None:
    written = [{"a": True, "b": -1.5e300, "c": '\\"\n\U0001f600', "d": [1, 22], "e": {"f": None}}, {"a": False}]
    (tmp_path / "t.json").write_text(json.dumps(written))
    assert rows(tmp_path / "t.json") == [written[0], {"a": False, "b": None, "c": None, "d": None, "e": None}]


def test_long_whole_numbers_are_exact(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text('[{"a": 123456789012345678901234567890}, {"a": 9007199254740993}]')
    assert [str(row["a"]) for row in rows(tmp_path / "t.json")] == [
        "123456789012345678901234567890",
        "9007199254740993",
    ]


def test_broken_lines_are_left_out_by_their_numbers(tmp_path: Path) -> None:
    lines = [b'{"a": 1}', b'{"a": ', b"", b"[2]", b'{"a": 1, "a": 2}', b'{"a": "\xff"}', b'{"a": 3}']
    (tmp_path / "t.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    lines_utf8 = (tmp_path / "t.jsonl").read_bytes() + '{"a": "é"}\n'.encode()
    (tmp_path / "t.jsonl").write_bytes(lines_utf8)
    [batch] = read_json(tmp_path / "t.jsonl")
    assert [str(value) for value in batch.rows.column("a").to_pylist()] == ["1", "3", "é"]
    assert [batch.line(place) for place in range(3)] == [1, 7, 8]
    assert [batch.number(place) for place in range(3)] == [0, 5, 6]
    assert [(reject.line, reject.row) for reject in batch.rejects] == [(2, 1), (4, 2), (5, 3), (6, 4)]
    reasons = [reject.reason for reject in batch.rejects]
    for reason, part in zip(reasons, ["not JSON", "a list", "stands twice", "encoding"], strict=True):
        assert part in reason
    json.dumps([reject.to_dict() for reject in batch.rejects]).encode()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('[{"a": 1},\n {"a": }]', "line 2, column 8"),
        ('[{"a": 1},\n {"a": 2', "line 2"),
        ('[{"a": 1}\n {"a": 2}]', "line 2, column 2: expected ','"),
        ('[{"a": 1}]\n]', "line 2, column 1: more text follows"),
        ('[{"a": 1},\n', "line 2"),
        ('[{"a": 1,\n "a": 2}]', "stands twice"),
        ('[{"a": "never closed}]', "line 1, column 8: Unterminated string"),
    ],
)
def test_a_broken_array_is_an_error_that_says_where(tmp_path: Path, block: None, text: str, place: str) -> None:
    (tmp_path / "t.json").write_text(text)
    with pytest.raises(DataError) as caught:
        rows(tmp_path / "t.json")
    assert place in str(caught.value.why)
    assert caught.value.next_step


def test_lines_of_an_arrays_items_are_known(tmp_path: Path, block: None) -> None:
    (tmp_path / "t.json").write_text('[\n{"a": 1},\n\n{"a":\n 2},\n{"a": 3}]')
    [batch] = read_json(tmp_path / "t.json")
    assert [batch.line(place) for place in range(3)] == [2, 4, 6]
