"""``StructuredDataLoader``: tables in, question-answer pairs and samples out.

Holds the tables that were loaded. Does not know how they are read, nor tokens or models.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, Unpack

from attar.runtime.errors import DataError, UsageError
from attar.runtime.prompts import record_text

from .asking import Asked, Asker, KindUse, chosen_kinds
from .closed_book import GROUNDED, closed_book_questions, require_mode
from .databases import database_source
from .filters import Filters
from .frames import frame_source
from .given import GivenRow, given_rows
from .links import Linked, Ties
from .loading import LoadedTable, TableOptions, load_table
from .readers import read_csv, read_json, read_parquet
from .samples import QAPair, Sample
from .schema import Column, TableSchema
from .sources import Source, file_source, text_reader
from .splits import RowSplits, split_rows

__all__ = ["StructuredDataLoader"]

_TEST_QUESTIONS_PER_RECORD = 8
_LARGEST_POOL = 50_000
"""Rows that are always looked at; of larger tables only as many as ``records_per_table`` makes for, by chance."""


class StructuredDataLoader:
    """Loads tables and asks questions about their rows.

    Args:
        questions_per_record: How many columns of a training record are asked for.
        records_per_table: How many training records each table gives. A large table gives that many of
            its rows; in a small one rows come again, their columns in another order and asked in other
            forms. By default every row once.
        counterfactual: Whether a row that comes again gets values of other training rows, column by column,
            so that the student learns to read the record instead of remembering the table.
        invented: Share of the values so given that are drawn from the column's pattern instead, and stand in no row.
        shared_prompts: Share of the turns of training rows on which all kinds show the same rows, columns and tools.
        test_share: Fraction of entities that are held out.
        test_questions: Size of the test split, taken from all tables in equal parts.
        salt: Salt of the split; see :func:`attar.pipeline.data.splits.split_of`.
        seed: Seed of the choice of forms and columns.
        near_duplicates: "group": rows that nearly repeat another are in the same split; "keep": they are not looked
            for.
        caps: "answer" or "column" to the largest share of a kind's samples, in one split, that may have the same.
        kinds: Question kind to its weight, or to its :class:`~.asking.KindUse`; by default lookups alone.
        mode: "grounded", with the record in the prompt, or "closed_book", without; see :mod:`.closed_book`.
        too_long: Whether a sample has more tokens than it may have, and so is dropped; by default none has.

    Attributes:
        dropped: How many rows and questions were left out in the last pass over all questions, by reason.
        refused: How many questions of each kind its checker refused in it.
        filters: Those of that pass, with what they dropped.
        splits: Of each table whose rows were asked about, by its place in ``tables``, which row is in which split.

    Raises:
        UsageError: There is no question kind of a name in ``kinds``, or not in that mode, or no such mode.
    """

    def __init__(
        self,
        *,
        questions_per_record: int = 8,
        records_per_table: int | None = None,
        counterfactual: bool = True,
        invented: float = 0.0,
        shared_prompts: float = 0.0,
        test_share: float = 0.15,
        test_questions: int = 512,
        salt: str = "attar",
        seed: int = 0,
        kinds: Mapping[str, float | KindUse] | None = None,
        near_duplicates: Literal["group", "keep"] = "group",
        caps: Mapping[str, float] | None = None,
        mode: str = GROUNDED,
        too_long: Callable[[Sample], bool] | None = None,
    ) -> None:
        self.questions_per_record = questions_per_record
        self.records_per_table = records_per_table
        self.counterfactual = counterfactual
        self.invented = invented
        self.shared_prompts = shared_prompts
        self.test_share = test_share
        self.test_questions = test_questions
        self.salt = salt
        self.seed = seed
        self.kinds = chosen_kinds(kinds or {"lookup": 1.0})
        self.near_duplicates = near_duplicates
        self.refused: Counter[str] = Counter()
        self.caps = dict(caps or {})
        self.too_long = too_long
        self.filters = Filters(self.caps, too_long)
        self.splits: dict[int, RowSplits] = {}
        self.mode = mode
        require_mode(mode, self.kinds)
        self.dropped: Counter[str] = Counter()
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

    def load_from_json(
        self, path: str | Path, *, encoding: str | None = None, **options: Unpack[TableOptions]
    ) -> LoadedTable:
        """Load a JSON array of objects or a JSONL file; arguments as for :meth:`load_from_csv`."""
        return self.load_source(file_source(Path(path), partial(read_json, encoding=encoding)), **options)

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

    def load(
        self,
        path: str | Path,
        *,
        delimiter: str | None = None,
        encoding: str | None = None,
        **options: Unpack[TableOptions],
    ) -> LoadedTable:
        """Load a file by the end of its name; arguments as for :meth:`load_from_csv`.

        Raises:
            UsageError: A delimiter or an encoding is given for a file that has none.
        """
        reader = text_reader(Path(path), delimiter=delimiter, encoding=encoding)
        return self.load_source(file_source(Path(path), reader), **options)

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
            UsageError: A schema file is given, and what it says besides; or links are, where no record is parted.
        """
        table = load_table(source, options)
        if table.links and (table.given or self.mode != GROUNDED):
            raise UsageError(
                "Links part records into training and test, and here no record is parted.",
                where=source.name,
                why="The table holds samples already." if table.given else f"The mode is {self.mode}.",
                next_step="Leave links out.",
            )
        self.tables.append(table)
        return table

    def create_qa_pairs(self) -> list[QAPair]:
        """All questions, each with its answer and its row.

        Raises:
            DataError: No table was loaded.
        """
        return [asked.pair for asked in self._asked()]

    def prepare_distillation_dataset(self) -> list[Sample]:
        """The samples of both splits: prompts as the agent sends them, answers, lineage.

        Raises:
            DataError: No table was loaded.
        """
        return list(self.samples())

    def samples(self) -> Iterator[Sample]:
        """The same, one by one.

        Raises:
            DataError: No table was loaded.
        """
        return (_keyed(asked) for asked in self._asked())

    def records(self) -> Iterator[tuple[LoadedTable, int, str, str]]:
        """Every row that has a name: its table, row number, entity and record text, columns in order.

        None in closed book: with records beside it an agent would never ask the student what it knows by itself.
        """
        for table in self._plain if self.mode == GROUNDED else ():
            for number, row in enumerate(table.rows):
                entity = table.schema.entity_of(row)
                if entity is not None:
                    yield table, number, entity, _record(table.schema, entity, table.schema.facts_of(row))

    def _asked(self) -> Iterator[Asked | GivenRow]:
        """What is given, then what is asked; each table has an equal part of the test split."""
        if not self.tables:
            raise DataError("No table was loaded.", next_step="Call load_from_csv or one of its sisters first.")
        self.filters = Filters(self.caps, self.too_long)
        self.dropped.clear()
        self.refused.clear()
        given = [table for table in self.tables if table.given]
        left = most = -(-self.test_questions * len(given) // len(self.tables))
        settings = {"salt": self.salt, "test_share": self.test_share, "records_per_table": self.records_per_table}
        for row in given_rows(given, **settings, dropped=self.dropped):  # type: ignore[arg-type]
            if not self.filters.fits(row.sample):
                continue
            left -= row.split == "test"
            if row.split == "test" and left < 0:
                self.dropped["a given row over test_questions"] += 1
            else:
                yield row
        test_left = self.test_questions - most + max(left, 0)
        if self.mode == GROUNDED:
            yield from self._questions(test_left)
            return
        asked = closed_book_questions(
            self._plain,
            self.kinds,
            test_questions=test_left,
            dropped=self.dropped,
            questions_per_record=self.questions_per_record,
            records_per_table=self.records_per_table,
            test_share=self.test_share,
            salt=self.salt,
            seed=self.seed,
        )
        yield from (one for one in asked if self.filters.fits(one.sample))

    @property
    def _plain(self) -> list[LoadedTable]:
        """The tables of rows to ask about."""
        return [table for table in self.tables if not table.given]

    def _questions(self, test_left: int) -> Iterator[Asked]:
        filters = self.filters
        self._part()
        for position, table in enumerate(self._plain):
            rows = self.splits[self._place(table)].rows
            share = -(-test_left // (len(self._plain) - position))  # what small tables leave, later ones get
            asker = {split: self._asker(table, split, rows[split]) for split in rows}
            for number in rows["test"]:
                count = min(_TEST_QUESTIONS_PER_RECORD, share)
                asked = [one for one in asker["test"].ask(number, 0, count) if filters.keep(one.sample)]
                share -= len(asked)
                test_left -= len(asked)
                yield from asked
            for turn, number in self._turns(rows["train"]):
                found = asker["train"].ask(number, turn, self.questions_per_record)
                yield from (asked for asked in found if filters.keep(asked.sample))

    def _asker(self, table: LoadedTable, split: str, rows: Sequence[int]) -> Asker:
        return Asker(
            table,
            split,
            rows,
            self.kinds,
            counterfactual=self.counterfactual,
            invented=self.invented,
            shared=self.shared_prompts,
            seed=self.seed,
            refused=self.refused,
        )

    def _part(self) -> None:
        """Find out which row is in which split, in all tables, those first whose rows others name."""
        ties, taken = Ties(self._plain), dict[str, str]()
        for table in ties.in_order():
            found = split_rows(
                table.schema,
                ((number, table.rows[number]) for number in self._pool(table)),
                salt=self.salt,
                test_share=self.test_share,
                near_duplicates=self.near_duplicates == "group",
                ties=partial(ties.of, table.schema.label),
                taken=taken,
            )
            for numbers in found.rows.values():
                random.Random(f"{self.seed}:{table.schema.label}").shuffle(numbers)
            self.splits[self._place(table)] = found

    def _place(self, table: Linked) -> int:
        return next(place for place, one in enumerate(self.tables) if one is table)

    def _pool(self, table: Linked) -> Sequence[int]:
        """Numbers of the rows that can be asked about: all, or enough of a table that is far larger than needed."""
        count = len(table.rows)
        most = max(_LARGEST_POOL, 4 * self.records_per_table) if self.records_per_table else count
        if count <= most:
            return range(count)
        return sorted(random.Random(f"{self.seed}:{table.schema.label}:pool").sample(range(count), most))

    def _turns(self, rows: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Training rows, each with how often it came before."""
        wanted = len(rows) if self.records_per_table is None else self.records_per_table
        for place in range(wanted if rows else 0):
            turn, index = divmod(place, len(rows))
            yield turn, rows[index]


def _keyed(asked: Asked | GivenRow) -> Sample:
    """The sample of a question, with what its rows are called."""
    if isinstance(asked, GivenRow):
        return asked.sample
    return replace(asked.sample, keys=[asked.table.schema.entity_of(row) or "" for row in asked.rows])


def _record(schema: TableSchema, entity: str, facts: Sequence[tuple[Column, str]]) -> str:
    return record_text(schema.label, entity, [(column.label, value) for column, value in facts])
