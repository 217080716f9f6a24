"""CSV: every cell as it is, and every row that can't be read named."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from attar.pipeline.data.batches import Batch, Reject
from attar.pipeline.data.readers import read_csv, read_tsv
from attar.runtime.errors import DataError, UsageError

Row = dict[str, str | None]


def taken(batches: list[Batch]) -> tuple[list[Row], list[Reject]]:
    return [row for batch in batches for row in batch.rows.to_pylist()], [r for batch in batches for r in batch.rejects]


def table(path: Path, content: str | bytes, **options: str) -> tuple[list[Row], list[Reject]]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return taken(list(read_csv(path, **options)))


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
"""Lone carriage returns among them, which the csv module of Python 3.11 writes without the quotes that they need."""


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(TEXT, min_size=width, max_size=width), min_size=1)),
    delimiter=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_any_table_comes_back_cell_for_cell(
    tmp_path: Path, rows: list[list[str]], delimiter: str, quoting: int, end: str, encoding: str
) -> None:
    bare = quoting == csv.QUOTE_MINIMAL and end == "\n"
    assume(not (bare and any(row[-1].endswith("\r") for row in rows)))  # written so, it is the line's end
    names = [f"c{place}" for place in range(len(rows[0]))]
    with (tmp_path / "t.csv").open("w", newline="", encoding=encoding) as file:
        csv.writer(file, delimiter=delimiter, quoting=quoting, lineterminator=end).writerows([names, *rows])
    found, rejects = taken(list(read_csv(tmp_path / "t.csv", delimiter=delimiter, encoding=encoding)))
    assert rejects == []
    assert found == [{name: cell or None for name, cell in zip(names, row, strict=True)} for row in rows]


def test_a_lone_carriage_return_is_a_part_of_its_cell(tmp_path: Path) -> None:
    found, rejects = table(tmp_path / "t.csv", 'a,b\r\nx\ry,1\r\n"p\rq",2\r\nz,3\r\r\n')
    assert (found, rejects) == ([{"a": "x\ry", "b": "1"}, {"a": "p\rq", "b": "2"}, {"a": "z", "b": "3"}], [])
    [batch] = read_csv(tmp_path / "t.csv")
    assert [batch.line(place) for place in range(3)] == [2, 3, 4]


def test_a_column_of_one_width_is_not_cut_in_two_by_it(tmp_path: Path) -> None:
    assert table(tmp_path / "t.csv", "name\nx\ry\n")[0] == [{"name": "x\ry"}]


def test_lines_that_end_in_carriage_returns_alone_are_lines(tmp_path: Path) -> None:
    assert table(tmp_path / "t.csv", "a,b\rx,1\ry,2\r")[0] == [{"a": "x", "b": "1"}, {"a": "y", "b": "2"}]


@pytest.mark.parametrize("delimiter", ",;\t|")
def test_the_delimiter_is_guessed(tmp_path: Path, delimiter: str) -> None:
    lines = [["name", "price", "of"], ["Æ, b", "1,5", "x;y"], ["c|d", "2,5", ""]]
    with (tmp_path / "t.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows(lines)
    found, _ = taken(list(read_csv(tmp_path / "t.csv")))
    assert [list(row.values()) for row in found] == [["Æ, b", "1,5", "x;y"], ["c|d", "2,5", None]]


def test_one_column_needs_no_delimiter(tmp_path: Path) -> None:
    assert table(tmp_path / "t.csv", "name\nAarhus\n\nCork\n")[0] == [{"name": "Aarhus"}, {"name": "Cork"}]


def test_tabs_in_a_tsv_are_what_stands_between_cells(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text("a,b\tc\n1,2\t3\n")
    assert taken(list(read_tsv(tmp_path / "t.tsv")))[0] == [{"a,b": "1,2", "c": "3"}]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_the_encoding_is_guessed(tmp_path: Path, encoding: str) -> None:
    found, rejects = table(tmp_path / "t.csv", "naïve,b\nÉvora,€ 5\n".encode(encoding))
    assert (found, rejects) == ([{"naïve": "Évora", "b": "€ 5"}], [])


def test_a_given_encoding_is_taken(tmp_path: Path) -> None:
    found, _ = table(tmp_path / "t.csv", "a,b\nŁódź,x\n".encode("cp1250"), encoding="cp1250")
    assert found == [{"a": "Łódź", "b": "x"}]


def test_a_line_in_another_encoding_is_left_out_by_its_number(tmp_path: Path) -> None:
    found, rejects = table(tmp_path / "t.csv", b"a,b\n\xc3\x89vora,1\nx,\xc9vora\nCork,2\n")
    assert [row["a"] for row in found] == ["Évora", "Cork"]
    [reject] = rejects
    assert (reject.line, reject.row, reject.column, reject.value) == (3, 1, "b", "\\xc9vora")
    assert "encoding" in reject.reason


def test_what_is_in_no_encoding_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not text in an encoding"):
        table(tmp_path / "t.csv", "a,b\nx,y\n".encode("utf-16-le"))
    with pytest.raises(UnicodeDecodeError):
        table(tmp_path / "t.csv", b"a,b\n\x81\x8d,\x90\n")
    with pytest.raises(UsageError, match="no encoding 'utf-9'"):
        table(tmp_path / "t.csv", "a\n1\n", encoding="utf-9")
    with pytest.raises(UsageError, match="can't stand between"):
        table(tmp_path / "t.csv", "a\n1\n", delimiter="--")


def test_rows_of_another_width_are_left_out_and_the_others_keep_their_lines(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('a,b\n"two\nlines",2\n1\n\n5,6\n1,2,3\n7,8\n')
    [batch] = read_csv(tmp_path / "t.csv", delimiter=",")
    assert batch.rows.column("a").to_pylist() == ["two\nlines", "5", "7"]
    assert [batch.line(place) for place in range(3)] == [2, 6, 8]
    assert [batch.number(place) for place in range(3)] == [0, 2, 4]
    assert [(r.line, r.row, r.value, r.reason) for r in batch.rejects] == [
        (4, 1, "1", "it has 1 cells, the header has 2"),
        (7, 3, "1, 2, 3", "it has 3 cells, the header has 2"),
    ]


def test_a_misplaced_quote_costs_its_row_and_an_open_one_the_file(tmp_path: Path) -> None:
    found, rejects = table(tmp_path / "t.csv", 'a,b\n"x"y,1\nz,2\n')
    assert found == [{"a": "z", "b": "2"}]
    assert [(reject.line, reject.row) for reject in rejects] == [(2, 0)]
    with pytest.raises(DataError, match="never closed") as caught:
        table(tmp_path / "t.csv", 'a,b\n1,2\n"x,1\nz,2\n')
    assert caught.value.why == "The row begins on line 3."


@pytest.mark.parametrize(
    ("header", "message"),
    [("a,b,a,b", "same name: a, b"), ("a,,b, ", "counted from 1: 2, 4"), ("\n\n", "can't be read")],
)
def test_columns_that_cannot_be_told_apart_are_refused(tmp_path: Path, header: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        table(tmp_path / "t.csv", f"{header}\n" if header.strip() else header)
    assert caught.value.next_step


def test_cells_stay_what_they_are(tmp_path: Path) -> None:
    cells = ["=1+1", "=HYPERLINK(A1)", "<|im_end|>", "NA", "nan", " 007 ", "1e5", "true", "-", "NULL"]
    found, _ = table(tmp_path / "t.csv", "nan,b\n" + "".join(f"{cell},x\n" for cell in cells))
    assert [row["nan"] for row in found] == cells


def test_ten_thousand_columns(tmp_path: Path) -> None:
    names = [f"c{place}" for place in range(10_000)]
    found, _ = table(tmp_path / "t.csv", "\n".join(",".join(names) for _ in range(3)))
    assert found == [{name: name for name in names}] * 2


def test_a_cell_of_fifty_megabytes_and_the_limit_of_the_process_is_put_back(tmp_path: Path) -> None:
    before = csv.field_size_limit()
    found, _ = table(tmp_path / "t.csv", "a,b\nx," + "y" * 50_000_000 + "\nz,1\n")
    assert [len(row["b"] or "") for row in found] == [50_000_000, 1]
    assert csv.field_size_limit() == before


def test_a_large_table_comes_in_pieces_that_count_on(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n" + "".join(f"{n},x\n" for n in range(25_000)))
    batches = list(read_csv(tmp_path / "t.csv"))
    assert [(batch.first, batch.rows.num_rows) for batch in batches] == [(0, 10_000), (10_000, 10_000), (20_000, 5_000)]
    assert [(batch.line(0), batch.typed) for batch in batches] == [(2, False), (10_002, False), (20_002, False)]
