"""The table's records inside a bundle, and which of them a question names.

A read-only SQLite file: ``records(id, label, entity, text)`` and ``names(name, spelled, record)``, where a
name is folded to lower-case words. The longest name that stands in the question wins.
Does not know models or prompts.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import BundleError

__all__ = ["Record", "Records", "write_records"]

_SCHEMA = """
CREATE TABLE records (id INTEGER PRIMARY KEY, label TEXT NOT NULL, entity TEXT NOT NULL, text TEXT NOT NULL);
CREATE TABLE names (name TEXT NOT NULL, spelled TEXT NOT NULL, record INTEGER NOT NULL REFERENCES records);
CREATE INDEX names_by_name ON names (name);
"""
_LONGEST_NAME = 12  # words; longer names are found by their first words
_SHORTEST_FREE_NAME = 4  # characters; shorter ones are codes, and "the" is no airport unless spelled THE


@dataclass(frozen=True)
class Record:
    """One row as the model reads it."""

    label: str
    entity: str
    text: str


class Records:
    """Finds the records that a question names.

    Args:
        path: The bundle's ``records.sqlite``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __len__(self) -> int:
        return int(self._query("SELECT count(*) FROM records")[0][0])

    def find(self, question: str) -> list[Record]:
        """Records of the longest name in the question; several where the name is not unique.

        Raises:
            BundleError: The file can't be read.
        """
        phrases = _phrases(question)
        marks = ", ".join("?" * len(phrases))
        matches = self._query(f"SELECT name, spelled, record FROM names WHERE name IN ({marks})", phrases)
        words = set(re.findall(r"\w+", question))
        usable = [
            (len(name), record)
            for name, spelled, record in matches
            if len(name) >= _SHORTEST_FREE_NAME or spelled in words
        ]
        if not usable:
            return []
        longest = max(length for length, _ in usable)
        chosen = sorted({record for length, record in usable if length == longest})
        marks = ", ".join("?" * len(chosen))
        rows = self._query(f"SELECT label, entity, text FROM records WHERE id IN ({marks}) ORDER BY id", chosen)
        return [Record(*row) for row in rows]

    def _query(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        try:
            # A connection of its own for each call: SQLite's may not cross threads.
            with closing(sqlite3.connect(f"{self.path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as db:
                return db.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise BundleError("The bundle's records can't be read.", where=self.path, why=error) from error


def write_records(path: Path, records: Iterable[tuple[Record, Sequence[str]]]) -> None:
    """Write a new records file.

    Args:
        path: Where; must not exist.
        records: Each record with the names it is found by.
    """
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(_SCHEMA)
        for number, (record, names) in enumerate(records):
            db.execute("INSERT INTO records VALUES (?, ?, ?, ?)", (number, record.label, record.entity, record.text))
            folded = {" ".join(_words(name)[:_LONGEST_NAME]): name for name in (*names, record.entity)}
            db.executemany("INSERT INTO names VALUES (?, ?, ?)", [(f, s, number) for f, s in folded.items() if f])


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold())


def _phrases(question: str) -> list[str]:
    """Every run of up to ``_LONGEST_NAME`` words, each once."""
    words = _words(question)[:512]
    return list(
        dict.fromkeys(
            " ".join(words[start:end])
            for start in range(len(words))
            for end in range(start + 1, min(start + _LONGEST_NAME, len(words)) + 1)
        )
    )
