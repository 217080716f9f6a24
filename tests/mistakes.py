"""Wrong inputs: a place to make a mistake in, and ways to break a model or a bundle."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.conftest import CITIES


@dataclass(frozen=True)
class Place:
    """A folder to make a mistake in, and command lines that are right but for it."""

    folder: Path
    teacher: Path
    bundle: Path
    monkeypatch: pytest.MonkeyPatch

    def config(self, *options: str, **changes: Any) -> list[str]:
        """A run of the cities; ``changes`` replace keys of its sections, or whole sections."""
        self.table("cities.csv", CITIES)
        config: dict[str, Any] = {
            "name": "wrong",
            "data": {"tables": [{"path": "cities.csv"}], "test_share": 0.5, "test_questions": 2},
            "distillation": {
                "teacher_model_name": str(self.teacher),
                "correction": {"steps": 0},
                "alignment_steps": 0,
                "steps": 1,
            },
            "export": {"quantize": "none"},
            "measurement": {"max_new_tokens": 1},
        }
        for key, value in changes.items():
            config[key] = {**config[key], **value} if isinstance(value, dict) and key in config else value
        return self.raw(json.dumps(config), *options)

    def raw(self, text: str, *options: str) -> list[str]:
        """A run of a config with this text."""
        path = self.folder / "config.json"
        path.write_text(text, encoding="utf-8")
        return ["run", str(path), "--runs", str(self.folder / "runs"), *options]

    def table(self, name: str, content: str | bytes = "", **options: Any) -> list[str]:
        """A run of one table with this content."""
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return [] if name == "cities.csv" else self.config(data={"tables": [{"path": name, **options}]})

    def database(self, connection: str, query: str = "SELECT * FROM city") -> list[str]:
        """A run of a query."""
        with closing(sqlite3.connect(self.folder / "shop.db")) as database, database:
            database.execute("CREATE TABLE IF NOT EXISTS city (name TEXT, country TEXT)")
        return self.config(data={"tables": [{"database": connection, "query": query, "label": "city"}]})

    def model(self, break_it: Callable[[Path], object]) -> list[str]:
        """An export of a copy of the teacher that was broken."""
        model = self.folder / "model"
        shutil.copytree(self.teacher, model)
        break_it(model)
        return ["export", str(model), "--out", str(self.folder / "bundle")]

    def export(self, model: str) -> list[str]:
        """An export of what is named."""
        return ["export", model, "--out", str(self.folder / "bundle")]

    def ask(self, break_it: Callable[[Path], object], question: str = "Where is Cork?") -> list[str]:
        """A question to a copy of a bundle that was broken."""
        bundle = self.folder / "bundle"
        shutil.copytree(self.bundle, bundle)
        break_it(bundle)
        return ["ask", str(bundle), question]

    def student(self, specials: list[str]) -> list[str]:
        """A run with a student whose tokenizer is another."""
        from tests.tiny import tiny_gpt2

        model = tiny_gpt2(self.folder / "student", "other words", layers=1, specials=specials)
        return self.config(distillation={"student_model_name": str(model)})

    def file(self, name: str, content: bytes) -> Path:
        """A file with this content."""
        (self.folder / name).write_bytes(content)
        return self.folder / name

    def without(self, module: str, arguments: list[str]) -> list[str]:
        """The same call where a package is not installed."""
        self.monkeypatch.setitem(sys.modules, module, None)
        for name in [name for name in sys.modules if name.startswith("attar.pipeline.config")]:
            self.monkeypatch.delitem(sys.modules, name)  # so that it is imported anew
        return arguments

    def occupied(self) -> list[str]:
        """An export to a folder that holds something else."""
        (self.folder / "out").mkdir()
        self.file("out/thesis.txt", b"mine")
        return ["export", str(self.teacher), "--out", str(self.folder / "out")]


def parquet(**columns: list[object]) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    return bytes(sink.getvalue())


def manifest(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def break_it(bundle: Path) -> None:
        value = json.loads((bundle / "attar.json").read_text())
        change(value)
        (bundle / "attar.json").write_text(json.dumps(value))

    return break_it


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def linked(bundle: Path) -> None:
    (bundle / "model.onnx").rename(bundle.parent / "elsewhere.onnx")
    (bundle / "model.onnx").symlink_to(bundle.parent / "elsewhere.onnx")


def unlisted(bundle: Path) -> None:
    (bundle / "model.onnx").unlink()
    manifest(lambda value: value["files"].pop("model.onnx"))(bundle)


def not_sqlite(bundle: Path) -> None:
    content = b"not a database" * 100
    (bundle / "records.sqlite").write_bytes(content)
    listed = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    manifest(lambda value: value["files"].update({"records.sqlite": listed}))(bundle)


def pickled(model: Path) -> None:
    (model / "model.safetensors").rename(model / "pytorch_model.bin")
