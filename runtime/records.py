"""The table's records inside a bundle, and which of them a question names.

A read-only SQLite file: ``records(id, label, entity, text)``, ``names(name, spelled, record)``, where a name
is folded to lower-case words, and ``labels(name)``, the words that name columns and tables.
Does not know models, or what is asked of them.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import BundleError
from .prompts import record_line

__all__ = ["Record", "Records", "write_records"]

_SCHEMA = """
CREATE TABLE records (id INTEGER PRIMARY KEY, label TEXT NOT NULL, entity TEXT NOT NULL, text TEXT NOT NULL);
CREATE TABLE names (name TEXT NOT NULL, spelled TEXT NOT NULL, record INTEGER NOT NULL REFERENCES records);
CREATE INDEX names_by_name ON names (name);
CREATE TABLE labels (name TEXT PRIMARY KEY) WITHOUT ROWID;
"""
_LONGEST_NAME = 12  # words; longer names are found by their first words
_LONGEST_QUESTION = 512  # words that are searched
_SHORTEST_FREE_NAME = 4  # characters; shorter ones are codes, and "the" is no airport unless spelled THE
_MOST_READ = 100_000  # records that are read for one value, in about a tenth of a second


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

    def typical(self) -> Record | None:
        """A record of median length, the same each time; None where there are none.

        Raises:
            BundleError: The file can't be read.
        """
        middle = "SELECT (count(*) - 1) / 2 FROM records"
        rows = self._query(
            f"SELECT label, entity, text FROM records ORDER BY length(text), id LIMIT 1 OFFSET ({middle})"
        )
        return Record(*rows[0]) if rows else None

    def find(self, question: str, *, follow_up: bool = False) -> list[Record]:
        """Records that the question names; several where a name is not unique.

        A name inside a longer one does not count ("Guinea" in "Papua New Guinea"). Of several, one that is not
        also what a column is called comes first (there is an airport "Capital"), then one spelled as in the
        table, then the longest.

        Args:
            question: Any text.
            follow_up: Whether it may be about a record that was spoken of before: then a word that is what a
                column is called means the column.

        Raises:
            BundleError: The file can't be read.
        """
        found = _outermost(list(self._mentions(question)))
        if follow_up:
            found = [mention for mention in found if not mention.is_label]
        if not found:
            return []
        best = max(mention.rank for mention in found)
        chosen = sorted({mention.record for mention in found if mention.rank == best})
        rows = self._query(
            f"SELECT label, entity, text FROM records WHERE id IN ({_marks(chosen)}) ORDER BY id", chosen
        )
        return [Record(*row) for row in rows]

    def labels(self) -> frozenset[str]:
        """What columns and tables are called, folded to lower-case words.

        Raises:
            BundleError: The file can't be read.
        """
        return frozenset(name for (name,) in self._query("SELECT name FROM labels"))

    def hold(self, label: str, column: str, value: str) -> bool:
        """Whether a record of this label has this value in this column, as it is written.

        Reads the records one by one, up to a limit; beyond it a value may be missed, never invented.

        Raises:
            BundleError: The file can't be read.
        """
        now, before = record_line(column, value), f"{column}: {value}"  # how earlier bundles have it
        lines = [f"\n{line}\n" for line in (now, before)]
        statement = """SELECT EXISTS (SELECT 1 FROM (SELECT text || char(10) AS text FROM records WHERE label = ?
                       LIMIT ?) WHERE instr(text, ?) > 0 OR instr(text, ?) > 0)"""
        return bool(self._query(statement, [label, _MOST_READ, *lines])[0][0])

    def _mentions(self, question: str) -> Iterator[_Mention]:
        """Every place in the question where a name of a record stands."""
        words = _words(question)[:_LONGEST_QUESTION]
        places = _phrases(words)
        phrases = list(places)
        names = self._query(f"SELECT name, spelled, record FROM names WHERE name IN ({_marks(phrases)})", phrases)
        known = {name for (name,) in self._query(f"SELECT name FROM labels WHERE name IN ({_marks(phrases)})", phrases)}
        for name, spelled, record in names:
            for start, end in places[name]:
                exact = _words(spelled)[:_LONGEST_NAME] == words[start:end]
                if exact or len(name) >= _SHORTEST_FREE_NAME:
                    yield _Mention(start, end, record, (name not in known, exact, len(name)))

    def _query(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        try:
            # A connection of its own for each call: SQLite's may not cross threads.
            with closing(sqlite3.connect(f"{self.path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as db:
                return db.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise BundleError(
                "The bundle's records can't be read.",
                where=self.path,
                why=error,
                next_step="Copy the bundle again, or export it anew.",
            ) from error


@dataclass(frozen=True)
class _Mention:
    """A record's name in a question: from which word to which, and how good a match it is."""

    start: int
    end: int
    record: int
    rank: tuple[bool, bool, int]

    @property
    def is_label(self) -> bool:
        return not self.rank[0]


def write_records(path: Path, records: Iterable[tuple[Record, Sequence[str]]], labels: Iterable[str] = ()) -> int:
    """Write a new records file, record by record as they come; returns how many they were.

    Args:
        path: Where; must not exist.
        records: Each record with the names it is found by.
        labels: What columns and tables are called.
    """
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(_SCHEMA)
        db.executemany("INSERT OR IGNORE INTO labels VALUES (?)", [(_folded(_words(label)),) for label in labels])
        count = 0
        for number, (record, names) in enumerate(records):
            count += 1
            db.execute("INSERT INTO records VALUES (?, ?, ?, ?)", (number, record.label, record.entity, record.text))
            spelled = {_folded(_words(name)[:_LONGEST_NAME]): name for name in (*names, record.entity)}
            rows = [(folded, name, number) for folded, name in spelled.items() if folded]
            db.executemany("INSERT INTO names VALUES (?, ?, ?)", rows)
    return count


def _outermost(mentions: list[_Mention]) -> list[_Mention]:
    """Mentions that do not stand inside a longer one."""
    return [
        one
        for one in mentions
        if not any(
            other.start <= one.start and one.end <= other.end and other.end - other.start > one.end - one.start
            for other in mentions
        )
    ]


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", unicodedata.normalize("NFKC", text))


def _folded(words: Sequence[str]) -> str:
    return " ".join(words).casefold()


def _phrases(words: Sequence[str]) -> dict[str, list[tuple[int, int]]]:
    """Every run of up to ``_LONGEST_NAME`` words, folded, with the places where it stands."""
    places: dict[str, list[tuple[int, int]]] = {}
    for start in range(len(words)):
        for end in range(start + 1, min(start + _LONGEST_NAME, len(words)) + 1):
            places.setdefault(_folded(words[start:end]), []).append((start, end))
    return places


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
