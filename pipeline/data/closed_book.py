"""Closed book: no record in the prompt, so the student has to know the facts of the rows that it learned.

Held out are forms of question, not entities: a test question asks for a fact that training asked for in at least
five other forms. Beside the known rows stand unknown ones, chosen by the salted hash of their names, half of them
for each split; no question about them but one is ever answered, and the answer is that there is no such record.
Does not know files, tokens, or how an agent comes to have no record.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from attar.runtime.errors import UsageError
from attar.runtime.prompts import NOT_FOUND

from .asking import Asked, Drawn, KindUse, Readable
from .questions import KINDS, Kind, Question, Row
from .questions.kind import name_of
from .questions.values import folded, other_values
from .samples import Sample, sample_id
from .schema import Column, TableSchema, written
from .splits import split_of

__all__ = [
    "CLOSED_BOOK",
    "CLOSED_BOOK_KINDS",
    "FORMS_PER_FACT",
    "GROUNDED",
    "ClosedBook",
    "ClosedBookAsked",
    "all_columns",
    "closed_book_questions",
    "require_mode",
    "value_counts",
]

GROUNDED = "grounded"
CLOSED_BOOK = "closed_book"
CLOSED_BOOK_KINDS = ("lookup", "reverse_lookup", "yes_no")
"""Kinds that can be asked without a record. Questions about unknown rows, of the kind "abstain", come by themselves."""
FORMS_PER_FACT = 5
"""In how many forms training asks for a fact at least: fewer leave it stored, but not to be had by another form."""
_UNKNOWN_SHARE = 0.25
"""Most of a table's part of the test split that asks about unknown rows."""
_OTHERS = 16
"""Rows that wrong values are taken from."""


@dataclass(frozen=True)
class ClosedBookAsked(Asked):
    """A question without a record."""

    @property
    def sample(self) -> Sample:
        """The sample that it becomes."""
        sample = super().sample
        said = sample_id("", sample.question, sample.answer, sample.split, sample.role, sample.tools, sample.turns)
        return replace(sample, id=said, record="", shown=[], mode=CLOSED_BOOK)


@dataclass(frozen=True)
class _Fact:
    """A column of a row, in the kind that asks for it."""

    number: int
    column: Column
    kind: str


class ClosedBook:
    """Asks about one table without its records.

    Args:
        table: The table.
        kinds: Name to use of the kinds to ask, of those in :data:`CLOSED_BOOK_KINDS`.
        questions_per_record: How many facts of a row are asked for.
        records_per_table: How many training records the table gives: so many rows, each in at least
            :data:`FORMS_PER_FACT` forms; by default every row.
        test_share: Fraction of entities that stay unknown.
        salt: Salt of that choice.
        seed: Seed of every other.
        dropped: Counts the rows that were left out, by reason.
    """

    def __init__(
        self,
        table: Readable,
        kinds: Mapping[str, KindUse],
        *,
        questions_per_record: int,
        records_per_table: int | None,
        test_share: float,
        salt: str,
        seed: int,
        dropped: Counter[str],
    ) -> None:
        self._table, self._kinds, self._seed = table, kinds, f"{seed}:{table.schema.label}:closed"
        self._questions_per_record = questions_per_record
        known, self.unknown = self._groups(salt, test_share, dropped)
        wanted = FORMS_PER_FACT * len(known) if records_per_table is None else records_per_table
        self.known = known[: max(1, wanted // FORMS_PER_FACT)]
        del self.unknown["train"][max(1, round(len(self.known) * test_share)) :]  # or abstaining would be all it learns
        self.turns = max(FORMS_PER_FACT, wanted // max(1, len(self.known)))
        labels = Counter(column.label for column in table.schema.columns)
        asked = [column for column in table.schema.columns if column.name not in table.schema.entity]
        self._columns = [column for column in asked if labels[column.label] == 1]
        self._counts = value_counts(table.rows, all_columns(table.schema)) if "reverse_lookup" in kinds else {}

    def training(self) -> Iterator[ClosedBookAsked]:
        """Every fact in several forms, and as many questions about unknown rows as about known ones each."""
        for turn in range(self.turns):
            for number in self.known:
                for fact in self._facts(number):
                    yield from self._asked(fact, "train", turn)
            for number in self.unknown["train"]:
                yield from self._abstaining(number, "train", turn)

    def test(self, count: int) -> Iterator[ClosedBookAsked]:
        """Up to ``count`` questions: facts that training asked for, in the test split's forms, and unknown rows."""
        unknown = [one for number in self.unknown["test"] for one in self._abstaining(number, "test", 0)]
        unknown = unknown[: round(count * _UNKNOWN_SHARE)]
        facts = (fact for place in range(self._questions_per_record) for fact in self._nth_facts(place))
        left = count - len(unknown)
        for fact in facts:
            if left <= 0:
                break
            found = self._asked(fact, "test", 0)
            left -= len(found)
            yield from found
        yield from unknown

    def _groups(self, salt: str, test_share: float, dropped: Counter[str]) -> tuple[list[int], dict[str, list[int]]]:
        """Rows by what the student is to know of them; those that share a name can't be told apart."""
        schema, known = self._table.schema, list[int]()
        unknown: dict[str, list[int]] = {"train": [], "test": []}
        names = [schema.entity_of(row) for row in self._table.rows]
        counts = Counter(folded(name) for name in names if name is not None)
        for number, name in enumerate(names):
            if name is None:
                continue
            if counts[folded(name)] > 1:
                dropped["a name of several rows, with no record to tell them apart"] += 1
                continue
            group = f"{schema.label}: {name}"
            if split_of(group, salt=salt, test_share=test_share) == "train":
                known.append(number)
            else:
                unknown[split_of(group, salt=f"{salt}\x00unknown", test_share=0.5)].append(number)
        for numbers in (known, *unknown.values()):
            random.Random(self._seed).shuffle(numbers)
        return known, unknown

    def _facts(self, number: int) -> list[_Fact]:
        """The facts of a row that are asked for, in every turn the same."""
        rng, row = random.Random(f"{self._seed}:{number}"), self._table.rows[number]
        facts = [
            (rng.random() ** (1 / use.weight), _Fact(number, column, kind))
            for column in self._columns
            for kind, use in self._kinds.items()
            if self._is_fact(kind, column, row)
        ]
        # The highest keys are a sample by weight (Efraimidis and Spirakis, 2006).
        facts.sort(key=lambda pair: -pair[0])
        return [fact for _, fact in facts[: self._questions_per_record]]

    def _nth_facts(self, place: int) -> Iterator[_Fact]:
        """The fact at a place of every row's, where it has so many."""
        for number in self.known:
            yield from self._facts(number)[place : place + 1]

    def _is_fact(self, kind: str, column: Column, row: Row) -> bool:
        value = written(row[column.name])
        return value is not None and (kind != "reverse_lookup" or self._counts[column.name][folded(value)] == 1)

    def _asked(self, fact: _Fact, split: str, turn: int) -> list[ClosedBookAsked]:
        """The fact's question in the form whose turn it is; none where all its kind's forms had theirs."""
        kind, row, seed = KINDS[fact.kind], self._table.rows[fact.number], self._seed_of(fact.number, fact.column)
        form = self._form(kind, split, f"{seed}:{fact.kind}", turn)
        if form is None:
            return []
        rng = random.Random(f"{seed}:{fact.kind}:{split}:{turn}")
        question = self._question(kind, form, row, fact.column, rng)
        return [] if question is None else self._checked(kind, question, split, f"{seed}:{turn}", fact.number)

    def _question(self, kind: Kind, form: str, row: Row, column: Column, rng: random.Random) -> Question | None:
        schema, value = self._table.schema, str(written(row[column.name]))
        entity, shown = name_of(schema, row), all_columns(schema)
        if kind.name == "lookup":
            text = kind.write(form, column=column.label, entity=entity)
            return Question(text, value, form, (column.name,), shown=shown)
        if kind.name == "reverse_lookup":
            text = kind.write(form, label=schema.label, column=column.label, value=value)
            return Question(text, entity, form, (column.name,), shown=shown, given={"value": value})
        numbers = rng.sample(self.known, min(_OTHERS, len(self.known)))
        others = other_values(column.name, value, [self._table.rows[number] for number in numbers])
        if not others:
            return None  # without a wrong value to ask for, yes would be too common
        asked = rng.choice(others) if rng.random() < 0.5 else value
        text = kind.write(form, column=column.label, entity=entity, value=asked)
        answer = "yes" if asked is value else "no"
        return Question(text, answer, form, (column.name,), shown=shown, given={"value": asked})

    def _abstaining(self, number: int, split: str, turn: int) -> Iterator[ClosedBookAsked]:
        """Questions about a row that the student is not to know."""
        kind, row = KINDS["abstain"], self._table.rows[number]
        columns = random.Random(f"{self._seed}:{number}").sample(self._columns, len(self._columns))
        for column in columns[: self._questions_per_record]:
            seed, entity = self._seed_of(number, column), name_of(self._table.schema, row)
            form = self._form(kind, split, seed, turn)
            if form is not None:
                text, given = kind.write(form, column=column.label, entity=entity), {"entity": entity}
                question = Question(text, NOT_FOUND, form, (column.name,), given=given)
                yield from self._checked(kind, question, split, f"{seed}:{turn}", number)

    def _checked(self, kind: Kind, question: Question, split: str, seed: str, number: int) -> list[ClosedBookAsked]:
        row = self._table.rows[number]
        asked = ClosedBookAsked(self._table, kind, question, split, seed, (Drawn(number, row, []),))
        rows = [] if kind.name == "abstain" else [row]
        return [asked] if kind.check(question, self._table.schema, rows) else []

    def _form(self, kind: Kind, split: str, seed: str, turn: int) -> str | None:
        """The form of a turn; each turn has another."""
        count = len(kind.forms[split])
        if turn >= count:
            return None
        return f"{kind.name}.{split}.{(random.Random(f'{seed}:{split}').randrange(count) + turn) % count}"

    def _seed_of(self, number: int, column: Column) -> str:
        return f"{self._seed}:{number}:{column.name}"


def all_columns(schema: TableSchema) -> tuple[str, ...]:
    """Names of all columns: what the student is to know of a row."""
    return tuple(column.name for column in schema.columns)


def closed_book_questions(
    tables: Sequence[Readable],
    kinds: Mapping[str, KindUse],
    *,
    test_questions: int,
    dropped: Counter[str],
    **how: Any,
) -> list[Asked]:
    """The questions on several tables, none of which has another answer elsewhere.

    Args:
        tables: The tables.
        kinds: See :class:`ClosedBook`, of which ``dropped`` and ``how`` are arguments too.
        test_questions: Size of the test split, taken from all tables in equal parts.
        dropped: Counts what was left out, by reason.
        **how: Sizes, salt and seed.
    """
    asked, left = list[Asked](), test_questions
    for position, table in enumerate(tables):
        book = ClosedBook(table, kinds, dropped=dropped, **how)
        held_out = list(book.test(-(-left // (len(tables) - position))))
        left -= len(held_out)
        asked += [*held_out, *book.training()]
    return _consistent(asked, dropped)


def require_mode(mode: str, kinds: Iterable[str]) -> None:
    """Check that there is such a mode, and that all kinds can be asked in it.

    Raises:
        UsageError: There is none, or one can't.
    """
    if mode not in (GROUNDED, CLOSED_BOOK):
        raise UsageError(f"There is no mode {mode!r}.", next_step=f"Take {GROUNDED} or {CLOSED_BOOK}.")
    wrong = [name for name in kinds if name not in CLOSED_BOOK_KINDS]
    if mode == CLOSED_BOOK and wrong:
        raise UsageError(
            f"The question kind {wrong[0]!r} needs a record in the prompt, which closed_book has not.",
            next_step=f"Take kinds of these: {', '.join(CLOSED_BOOK_KINDS)}; unknown entities come by themselves.",
        )


def _consistent(found: Sequence[Asked], dropped: Counter[str]) -> list[Asked]:
    """Questions, in order, without those that have another answer elsewhere, such as in another table."""
    answers: dict[str, set[str]] = defaultdict(set)
    for one in found:
        answers[folded(one.question.text)].add(folded(one.question.answer))
    kept = [one for one in found if len(answers[folded(one.question.text)]) == 1]
    if len(kept) < len(found):
        dropped["a question with several answers"] += len(found) - len(kept)
    return kept


def value_counts(rows: Iterable[Row], columns: Iterable[str]) -> dict[str, Counter[str]]:
    """How many rows have a value, its case and spacing left aside, in each of some columns."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in columns}
    for row in rows:
        for name, found in counts.items():
            found[folded(written(row[name]) or "")] += 1
    return counts
