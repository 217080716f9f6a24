"""``StructuredDataLoader``: tables in, question-answer pairs and samples out.

Holds the tables that were loaded and how each is read. Does not know tokens or models.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypedDict, Unpack

from attar.runtime.errors import DataError, UsageError
from attar.runtime.prompts import record_text

from .asking import Asked, Asker, KindUse, chosen_kinds
from .databases import database_source
from .frames import frame_source
from .inference import infer_from
from .readers import read_csv, read_json, read_parquet
from .reading import read_rows
from .rejects import MAX_REJECTS, Rejects
from .rows import Rows
from .samples import QAPair, Sample
from .schema import Column, TableSchema
from .schema_file import read_schema
from .sources import Source, file_source
from .splits import split_of

__all__ = ["LoadedTable", "StructuredDataLoader", "TableOptions"]

_TEST_QUESTIONS_PER_RECORD = 8


@dataclass(frozen=True)
class LoadedTable:
    """One table with its schema and where it came from, and the rows of it that could not be read."""

    source: str
    source_sha256: str
    schema: TableSchema
    rows: Rows
    rejects: Rejects = field(default_factory=Rejects)


class TableOptions(TypedDict, total=False):
    """How to read a table, where the guess should not do.

    Attributes:
        label: What one row is; by default the file's name, or "record" where there is no file.
        entity: The column, or columns, that name a row; by default the first text column without
            repeats and gaps.
        columns: Source name to readable name of the columns to use; by default all.
        schema_file: A ``schema.json`` that says label, entity, columns and their types, in place of the guess.
        max_rejects: Fraction of the rows that may be left out because a value of theirs can't be read.
    """

    label: str | None
    entity: str | Sequence[str] | None
    columns: Mapping[str, str] | None
    schema_file: str | Path | None
    max_rejects: float


class StructuredDataLoader:
    """Loads tables and asks questions about their rows.

    Args:
        questions_per_record: How many columns of a training record are asked for.
        records_per_table: How many training records each table gives. A large table gives that many of
            its rows; in a small one rows come again, their columns in another order and asked in other
            forms. By default every row once.
        counterfactual: Whether a row that comes again gets values of other training rows, column by column,
            so that the student learns to read the record instead of remembering the table.
        test_share: Fraction of entities that are held out.
        test_questions: Size of the test split, taken from all tables in equal parts.
        salt: Salt of the split; see :func:`attar.pipeline.data.splits.split_of`.
        seed: Seed of the choice of forms and columns.
        kinds: Question kind to its weight, or to its :class:`~.asking.KindUse`; by default lookups alone.

    Attributes:
        refused: How many questions of each kind its checker refused, so far.

    Raises:
        UsageError: There is no question kind of a name in ``kinds``.
    """

    def __init__(
        self,
        *,
        questions_per_record: int = 8,
        records_per_table: int | None = None,
        counterfactual: bool = True,
        test_share: float = 0.15,
        test_questions: int = 512,
        salt: str = "attar",
        seed: int = 0,
        kinds: Mapping[str, float | KindUse] | None = None,
    ) -> None:
        self.questions_per_record = questions_per_record
        self.records_per_table = records_per_table
        self.counterfactual = counterfactual
        self.test_share = test_share
        self.test_questions = test_questions
        self.salt = salt
        self.seed = seed
        self.kinds = chosen_kinds(kinds or {"lookup": 1.0})
        self.refused: Counter[str] = Counter()
        self.tables: list[LoadedTable] = []

    def load_from_csv(
        self,
        path: str | Path,
        *,
        delimiter: str | None = None,
        encoding: str | None = None,
        **options: Unpack[TableOptions],
    ) -> LoadedTable:
        """Load a CSV file with a header line.

        Args:
            path: The file, compressed or not; or a folder of such files, or a pattern such as ``cities-*.csv``.
            delimiter: What stands between cells; by default it is guessed.
            encoding: The file's encoding; by default it is guessed.
            **options: See :class:`TableOptions`.

        Raises:
            DataError: The file or a named column is missing, or nothing can be read.
        """
        reader = partial(read_csv, delimiter=delimiter, encoding=encoding)
        return self.load_source(file_source(Path(path), reader), **options)

    def load_from_json(self, path: str | Path, **options: Unpack[TableOptions]) -> LoadedTable:
        """Load a JSON array of objects or a JSONL file; arguments as for :meth:`load_from_csv`."""
        return self.load_source(file_source(Path(path), read_json), **options)

    def load_from_parquet(self, path: str | Path, **options: Unpack[TableOptions]) -> LoadedTable:
        """Load a Parquet file; arguments as for :meth:`load_from_csv`."""
        return self.load_source(file_source(Path(path), read_parquet), **options)

    def load_from_dataframe(self, frame: Any, **options: Unpack[TableOptions]) -> LoadedTable:
        """Load a pandas DataFrame, an Arrow table, or whatever else gives Arrow data, such as a polars DataFrame.

        Args:
            frame: The table; the index of a DataFrame becomes columns where it has names.
            **options: See :class:`TableOptions`.

        Raises:
            UsageError: It is no table.
            DataError: A named column is missing, or nothing can be used.
        """
        return self.load_source(frame_source(frame), **options)

    def load(self, path: str | Path, **options: Unpack[TableOptions]) -> LoadedTable:
        """Load a file by the end of its name; arguments as for :meth:`load_from_csv`."""
        return self.load_source(file_source(Path(path)), **options)

    def load_from_database(self, connection_string: str, query: str, **options: Unpack[TableOptions]) -> LoadedTable:
        """Load the rows of a query on SQLite or PostgreSQL, over a connection that can only read.

        Args:
            connection_string: ``sqlite:///PATH``, ``postgresql://USER:PASSWORD@HOST/DATABASE``, or ``env:NAME``
                for the environment variable that holds one. Its password is kept nowhere.
            query: One SELECT; give it an ORDER BY, so that the rows come in the same order each time.
            **options: See :class:`TableOptions`.

        Raises:
            UsageError: The connection string can't be read, or its environment variable is not set.
            MissingExtra: The database's driver is not installed.
            DataError: The database can't be reached or read, or the query gives nothing that can be used.
        """
        return self.load_source(database_source(connection_string, query), **options)

    def load_source(self, source: Source, **options: Unpack[TableOptions]) -> LoadedTable:
        """Load a source of any kind; what every other ``load`` calls, and a loader of one's own.

        Args:
            source: The rows and what identifies them.
            **options: See :class:`TableOptions`.

        Raises:
            DataError: A named column is missing, too many rows can't be read, or nothing can be used.
            UsageError: A schema file is given, and what it says besides.
        """
        try:
            schema = _schema(source, options)
            rows, rejects = read_rows(source.batches, schema, options.get("max_rejects", MAX_REJECTS))
            _require_values(schema, rows)
        except DataError as error:
            error.where = error.where or source.name
            raise
        table = LoadedTable(source.name, source.sha256, schema, rows, rejects)
        self.tables.append(table)
        return table

    def create_qa_pairs(self) -> list[QAPair]:
        """All questions, each with its answer and its row.

        Raises:
            DataError: No table was loaded.
        """
        return [asked.pair for asked in self._questions()]

    def prepare_distillation_dataset(self) -> list[Sample]:
        """The samples of both splits: prompts as the agent sends them, answers, lineage.

        Raises:
            DataError: No table was loaded.
        """
        return [asked.sample for asked in self._questions()]

    def records(self) -> Iterator[tuple[LoadedTable, int, str, str]]:
        """Every row that has a name: its table, row number, entity and record text, columns in order."""
        for table in self.tables:
            for number, row in enumerate(table.rows):
                entity = table.schema.entity_of(row)
                if entity is not None:
                    yield table, number, entity, _record(table.schema, entity, table.schema.facts_of(row))

    def _questions(self) -> Iterator[Asked]:
        if not self.tables:
            raise DataError("No table was loaded.", next_step="Call load_from_csv or one of its sisters first.")
        test_left = self.test_questions
        for position, table in enumerate(self.tables):
            rows = self._rows_by_split(table)
            share = -(-test_left // (len(self.tables) - position))  # what small tables leave, later ones get
            asker = {split: self._asker(table, split, rows[split]) for split in rows}
            for number in rows["test"]:
                count = min(_TEST_QUESTIONS_PER_RECORD, share)
                asked = list(asker["test"].ask(number, 0, count))
                share -= len(asked)
                test_left -= len(asked)
                yield from asked
            for turn, number in self._turns(rows["train"]):
                yield from asker["train"].ask(number, turn, self.questions_per_record)

    def _asker(self, table: LoadedTable, split: str, rows: Sequence[int]) -> Asker:
        return Asker(
            table,
            split,
            rows,
            self.kinds,
            counterfactual=self.counterfactual,
            seed=self.seed,
            refused=self.refused,
        )

    def _rows_by_split(self, table: LoadedTable) -> dict[str, list[int]]:
        rows: dict[str, list[int]] = {"train": [], "test": []}
        names = table.schema.entity
        for number, values in enumerate(table.rows.columns(names)):
            entity = table.schema.entity_of(dict(zip(names, values, strict=True)))
            if entity is not None:
                group = f"{table.schema.label}: {entity}"
                rows[split_of(group, salt=self.salt, test_share=self.test_share)].append(number)
        for numbers in rows.values():
            random.Random(f"{self.seed}:{table.schema.label}").shuffle(numbers)
        return rows

    def _turns(self, rows: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Training rows, each with how often it came before."""
        wanted = len(rows) if self.records_per_table is None else self.records_per_table
        for place in range(wanted if rows else 0):
            turn, index = divmod(place, len(rows))
            yield turn, rows[index]


def _schema(source: Source, options: TableOptions) -> TableSchema:
    """What the schema file says of a table, or else the table itself."""
    entity, columns, path = options.get("entity"), options.get("columns"), options.get("schema_file")
    if path is None:
        names = [entity] if isinstance(entity, str) else entity
        return infer_from(source.batches(), options.get("label") or source.label, names, columns)
    if entity or columns:
        raise UsageError(
            "A schema file says which columns name a row and which are used.",
            where=path,
            next_step="Give the schema file, or else entity and columns.",
        )
    return read_schema(Path(path), options.get("label"))


def _require_values(schema: TableSchema, rows: Iterable[Mapping[str, object]]) -> None:
    if not any(schema.entity_of(row) for row in rows):
        raise DataError(
            f"The column {schema.entity[0]!r} names the rows and is empty in every row.",
            next_step="Name another entity column.",
        )
    if not any(schema.entity_of(row) and schema.facts_of(row) for row in rows):
        raise DataError(
            f"The table {schema.label!r} has no value to ask for in any row that has a name.",
            next_step="Fill its columns, or name other columns.",
        )


def _record(schema: TableSchema, entity: str, facts: Sequence[tuple[Column, str]]) -> str:
    return record_text(schema.label, entity, [(column.label, value) for column, value in facts])
