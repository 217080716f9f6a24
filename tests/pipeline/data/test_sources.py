"""Tables from files, and what bad files get."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
import zstandard

from attar.pipeline import StructuredDataLoader
from attar.pipeline.data import sources
from attar.pipeline.data.batches import Batch
from attar.pipeline.data.databases import database_source
from attar.pipeline.data.frames import frame_source
from attar.pipeline.data.sources import file_source, label_of, read_table, register_reader
from attar.runtime.errors import DataError, UsageError

ROWS = [{"name": "Windhoek", "code": "NA", "people": 431000}, {"name": "Évora", "code": None, "people": 53591}]


def as_csv(path: Path) -> None:
    path.write_text("name,code,people\nWindhoek,NA,431000\nÉvora,,53591\n", encoding="utf-8")


def as_stream(path: Path) -> None:
    table = pa.Table.from_pylist(ROWS)
    with pa.ipc.new_stream(path, table.schema) as stream:
        stream.write_table(table)


CSV = "name,code,people\nWindhoek,NA,431000\nÉvora,,53591\n".encode()

WRITERS: dict[str, Callable[[Path], object]] = {
    "t.csv": as_csv,
    "t.json": lambda path: path.write_text(json.dumps(ROWS)),
    "t.jsonl": lambda path: path.write_text("\n".join(map(json.dumps, ROWS)) + "\n\n"),
    "t.parquet": lambda path: pq.write_table(pa.Table.from_pylist(ROWS), path),
    "t.feather": lambda path: pyarrow.feather.write_feather(pa.Table.from_pylist(ROWS), path),
    "t.arrow": as_stream,
    "t.tsv": lambda path: path.write_bytes(CSV.replace(b",", b"\t")),
    "t.csv.gz": lambda path: path.write_bytes(gzip.compress(CSV)),
    "t.csv.zst": lambda path: path.write_bytes(zstandard.compress(CSV[:9]) + zstandard.compress(CSV[9:])),
    "t.jsonl.zst": lambda path: path.write_bytes(zstandard.compress("\n".join(map(json.dumps, ROWS)).encode())),
    "T.JSON.GZ": lambda path: path.write_bytes(gzip.compress(json.dumps(ROWS).encode())),
}


@pytest.mark.parametrize("name", WRITERS)
def test_the_same_rows_come_from_every_kind_of_file(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / name)
    assert read_table(tmp_path / name).to_pylist() == ROWS


def test_a_json_column_of_several_types_becomes_text(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text('[{"a": 1, "b": ["x", "y"]}, {"a": "one", "b": "z"}, {"c": true}]')
    assert read_table(tmp_path / "t.json").to_pylist() == [
        {"a": "1", "b": "x, y", "c": None},
        {"a": "one", "b": "z", "c": None},
        {"a": None, "b": None, "c": True},
    ]


BAD = {
    "missing.csv": (None, "no such table"),
    "empty.csv": ("", "can't be read"),
    "header.csv": ("name,code\n", "no rows"),
    "twice.csv": ("name,name\na,b\n", "same name: name"),
    "ragged.csv": ("a,b\n1,2\n1,2,3\n", "can't be read"),
    "empty.json": ("[]", "no rows"),
    "broken.json": ("[{", "can't be read"),
    "numbers.json": ("[1, 2]", "can't be read"),
    "broken.jsonl": ('{"a": 1}\n{"a": \n', "can't be read"),
    "broken.parquet": ("PAR1 not really", "can't be read"),
    "table.xlsx": ("x", "No reader"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_an_error_that_says_where_and_what_next(tmp_path: Path, name: str) -> None:
    text, message = BAD[name]
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        read_table(tmp_path / name)
    assert caught.value.where == str(tmp_path / name)
    assert caught.value.next_step
    assert caught.value.exit_code == 4


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"a": 1}\n{"a": \n')
    with pytest.raises(DataError) as caught:
        read_table(tmp_path / "t.jsonl")
    assert caught.value.why is not None
    assert "line 2" in caught.value.why


@pytest.mark.parametrize("name", WRITERS)
def test_batches_come_from_the_first_row_each_time(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / name)
    source = file_source(tmp_path / name)
    started = source.batches()
    next(started)
    for _ in range(2):
        assert [row["name"] for batch in source.batches() for row in batch.rows.to_pylist()] == ["Windhoek", "Évora"]
    assert source.label.lower() == "t"


@pytest.mark.parametrize("end", ["gz", "zst"])
@pytest.mark.parametrize("kind", ["csv", "json", "jsonl"])
def test_a_compressed_file_that_was_cut_off_is_an_error(tmp_path: Path, kind: str, end: str) -> None:
    text = json.dumps([{"a": n} for n in range(30_000)]) if kind == "json" else '{"a": 1}\n' * 30_000
    whole = (gzip.compress if end == "gz" else zstandard.compress)(text.encode())
    path = tmp_path / f"t.{kind}.{end}"
    for share in (0.5, 0.99):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(DataError, match="can't be read") as caught:
            list(file_source(path).batches())
        assert (caught.value.exit_code, caught.value.where) == (4, str(path))
    with pytest.raises(DataError):
        StructuredDataLoader().load(path)


def test_a_file_that_is_not_compressed_as_its_name_says(tmp_path: Path) -> None:
    for end in ("gz", "zst"):
        (tmp_path / f"t.csv.{end}").write_bytes(CSV)
        with pytest.raises(DataError, match="can't be read"):
            read_table(tmp_path / f"t.csv.{end}")


def test_a_folder_or_a_pattern_is_one_source_in_order_of_name(tmp_path: Path) -> None:
    folder = tmp_path / "city"
    folder.mkdir()
    (folder / "b.csv.gz").write_bytes(gzip.compress(CSV))
    (folder / "a.csv").write_text("name,size\nCork,5\n")
    (folder / ".hidden").write_text("")
    source = file_source(folder)
    assert [(Path(batch.source).name, batch.first) for batch in source.batches()] == [("a.csv", 0), ("b.csv.gz", 0)]
    assert source.read().column("name").to_pylist() == ["Cork", "Windhoek", "Évora"]
    assert source.label == file_source(folder / "*.csv").label == "city"
    assert file_source(folder / "*.csv").read().num_rows == 1
    (folder / "a.csv").rename(folder / "c.csv")
    assert file_source(folder).sha256 != source.sha256


def test_a_folder_of_several_kinds_or_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no tables in the folder"):
        file_source(tmp_path)
    with pytest.raises(DataError, match="no tables by that pattern"):
        file_source(tmp_path / "*.csv")
    as_csv(tmp_path / "a.csv")
    (tmp_path / "b.json").write_text("[]")
    with pytest.raises(DataError, match="several kinds") as caught:
        file_source(tmp_path)
    assert ".csv, .json" in str(caught.value.why)


def test_a_row_left_out_is_handed_on_before_a_table_without_rows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1\n")
    batches = file_source(tmp_path / "t.csv").batches()
    assert [reject.line for reject in next(batches).rejects] == [2]
    with pytest.raises(DataError, match="no rows") as caught:
        next(batches)
    assert "1 cells" in str(caught.value.why)


def test_a_reader_of_ones_own_may_give_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_words(path: Path) -> Iterator[Batch]:
        for number, line in enumerate(path.read_text().splitlines()):
            yield Batch(pa.RecordBatch.from_pylist([{"word": line}]), str(path), number)

    monkeypatch.setattr(sources, "READERS", sources.READERS.copy())
    register_reader(".words", read_words)
    (tmp_path / "t.words").write_text("one\ntwo\n")
    assert read_table(tmp_path / "t.words").column("word").to_pylist() == ["one", "two"]


def test_frames_and_arrow_tables_are_sources() -> None:
    frame = pd.DataFrame({"name": ["Cork", "Évora"], "people": [1, 2], "any": [1, "x"]}).set_index("name")
    expected = [{"name": "Cork", "people": 1, "any": "1"}, {"name": "Évora", "people": 2, "any": "x"}]
    assert frame_source(frame).read().to_pylist() == expected
    assert frame_source(frame.reset_index()[lambda rows: rows.people > 1]).read().to_pylist() == expected[1:]
    arrow = pa.Table.from_pylist(expected)
    assert frame_source(arrow).read() == arrow
    assert frame_source(arrow).sha256 == frame_source(arrow.to_batches()[0]).sha256
    loaded = StructuredDataLoader().load_from_dataframe(frame, label="city")
    assert (loaded.schema.label, loaded.schema.entity) == ("city", ("name",))
    with pytest.raises(DataError, match="same name: a"):
        frame_source(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(DataError, match="no rows"):
        frame_source(frame[:0])
    with pytest.raises(UsageError, match="is no table"):
        frame_source([1])


def test_the_rows_of_a_query_are_text_where_they_may_be_dates(sqlite_file: Path) -> None:
    source = database_source(f"sqlite:///{sqlite_file}", "SELECT name, population FROM city ORDER BY name")
    assert [(batch.typed, batch.lines) for batch in source.batches()] == [(False, None)]
    assert source.read() == source.read()


@pytest.mark.parametrize("name", ["v1.2.csv", "v1.2.csv.gz", "v1.2.jsonl.zst"])
def test_a_file_with_dots_in_its_name_keeps_them(tmp_path: Path, name: str) -> None:
    assert label_of(tmp_path / name) == "v1.2"


def test_a_text_file_is_read_by_what_is_said_of_it_whatever_loads_it(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("name;value\nŁódź;1,5\n".encode("cp1250"))
    (tmp_path / "t.json").write_bytes('[{"name": "Łódź", "value": "1,5"}]'.encode("cp1250"))
    loader = StructuredDataLoader()
    for table in (
        loader.load(tmp_path / "t.csv", delimiter=";", encoding="cp1250"),
        loader.load_from_csv(tmp_path / "t.csv", delimiter=";", encoding="cp1250"),
        loader.load(tmp_path / "t.json", encoding="cp1250"),
        loader.load_from_json(tmp_path / "t.json", encoding="cp1250"),
    ):
        assert list(table.rows) == [{"name": "Łódź", "value": "1,5"}]


@pytest.mark.parametrize(
    ("name", "said"),
    [("t.parquet", {"encoding": "utf-8"}), ("t.feather", {"delimiter": ";"}), ("t.json", {"delimiter": ";"})],
)
def test_what_a_file_does_not_have_is_refused(tmp_path: Path, name: str, said: dict[str, str]) -> None:
    with pytest.raises(UsageError, match=f"has no {next(iter(said))}"):
        StructuredDataLoader().load(tmp_path / name, **said)  # type: ignore[arg-type]
