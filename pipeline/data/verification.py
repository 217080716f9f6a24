"""Verification: every answer and every prompt recomputed from the source rows, by lineage alone.

A pass of its own over finished samples: it takes nothing from how they were made but what they say of themselves.
Does not know files or tokens.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from .asking import Readable, changing, swapped
from .closed_book import CLOSED_BOOK, CLOSED_BOOK_KINDS, GROUNDED, all_columns, value_counts
from .given import GIVEN, given_fault, question_key
from .paraphrase import paraphrase_fault
from .patterns import Patterns
from .questions import KINDS, Question, Row
from .questions.values import folded
from .samples import Sample, sample_id

__all__ = ["Fault", "Verification", "verify"]


@dataclass(frozen=True)
class Fault:
    """A sample that is not what its source gives, and why."""

    id: str
    why: str


@dataclass
class Verification:
    """What was found.

    Attributes:
        checked: How many samples of each kind were recomputed.
        faults: Those that are wrong.
    """

    checked: Counter[str] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)

    @property
    def right(self) -> bool:
        """Whether all are right; none at all are not."""
        return not self.faults and self.checked.total() > 0

    def to_dict(self) -> dict[str, Any]:
        """The same, for JSON."""
        return {"checked": dict(self.checked), "faults": [asdict(fault) for fault in self.faults]}


def verify(samples: Iterable[Sample], tables: Iterable[Readable]) -> Verification:
    """Recompute samples from their tables.

    Args:
        samples: The samples, read one by one.
        tables: The tables that they were made from, read again from their sources.
    """
    known = {(table.schema.label, table.source_sha256): _Known(table) for table in tables}
    found, splits = Verification(), dict[str, str]()
    for sample in samples:
        found.checked[sample.kind] += 1
        table = known.get((sample.table, sample.source_sha256))
        why = "its source is not there, or has changed" if table is None else _fault(sample, table)
        if why:
            found.faults.append(Fault(sample.id, why))
        elif table is not None and sample.mode == CLOSED_BOOK:
            table.note(sample)
        elif sample.mode == GIVEN and splits.setdefault(question_key(sample.question), sample.split) != sample.split:
            found.faults.append(Fault(sample.id, "its question stands in both splits"))
    for table in known.values():
        found.faults += [Fault(name, "it abstains from a row that is asked for elsewhere") for name in table.mixed()]
    return found


class _Known:
    """A table with what has to be known of all its rows, and of all samples without records, to check one.

    Attributes:
        patterns: Of its columns; found when a sample has invented values.
    """

    def __init__(self, table: Readable) -> None:
        self.schema, self.rows, self.table = table.schema, table.rows, table
        self.patterns = Patterns(table.rows, changing(table.schema))
        self._counts: dict[str, Counter[str]] = {}
        self._learned: set[int] = set()
        self._unknown: dict[int, list[str]] = defaultdict(list)

    def count(self, column: str, value: str) -> int:
        """How many rows have a value."""
        if column not in self._counts:
            self._counts |= value_counts(self.rows, [column])
        return self._counts[column][folded(value)]

    def note(self, sample: Sample) -> None:
        """Take notice of a right sample that has no record."""
        if sample.kind == "abstain":
            self._unknown[sample.rows[0]].append(sample.id)
        else:
            self._learned.update(sample.rows)

    def mixed(self) -> list[str]:
        """Ids of samples that abstain from what others answer."""
        return [one for number in sorted(self._learned & self._unknown.keys()) for one in self._unknown[number]]


def _fault(sample: Sample, table: _Known) -> str | None:
    """What is wrong with a sample; None where it is right."""
    kind = KINDS.get(sample.kind)
    if kind is None and sample.kind != GIVEN:
        return f"there is no question kind {sample.kind!r}"
    if sample.form.rsplit(".", 1)[0] != f"{sample.kind}.{sample.split}":
        return "its form belongs to another kind or split"
    if sample.mode not in ((GIVEN,) if kind is None else (GROUNDED, CLOSED_BOOK)):
        return f"a sample of its kind has not the mode {sample.mode!r}"
    if (sample.donors or sample.invented) and sample.split == "test":
        return "the test split has swapped values"
    if sample.paraphrased and sample.split == "test":
        return "a question of the test split was rewritten"
    try:
        if sample.paraphrased and (why := paraphrase_fault(sample)):
            return f"its question is not its original in other words: {why}"
        if kind is None:
            return given_fault(sample, table.rows)
        if not all(table.patterns.fit(*drawn) for values in sample.invented for drawn in values.items()):
            return "a value that is said to be invented stands in a row, or is not like its column's"
        return _prompt_fault(sample, table) or _answer_fault(sample, table)
    except (IndexError, KeyError, TypeError, ValueError, AttributeError) as error:
        return f"it can't be recomputed from its lineage: {error!r}"


def _prompt_fault(sample: Sample, table: _Known) -> str | None:
    kind, question, rows = KINDS[sample.kind], _question(sample, table), _rows(sample, table)
    record = "" if sample.mode == CLOSED_BOOK else kind.record(question, table.schema, rows)
    if sample.role != kind.role or sample.record != record:
        return "its prompt does not show what its rows hold"
    if sample.turns != kind.turns(question, table.schema, rows):
        return "its turns do not say what its rows hold"
    said = (sample.record, sample.question, sample.answer, sample.split, sample.role, sample.tools, sample.turns)
    return None if sample.id == sample_id(*said) else "its id is not that of what it says"


def _answer_fault(sample: Sample, table: _Known) -> str | None:
    rows = _rows(sample, table)
    if any(table.schema.entity_of(row) is None for row in rows):
        return "a row of it has no name"
    if sample.keys != [table.schema.entity_of(row) for row in rows]:
        return "its rows are not those that its keys name"
    question = _question(sample, table)
    if sample.mode == CLOSED_BOOK:
        rows = _learned_rows(sample, table, rows)
    right = KINDS[sample.kind].check(question, table.schema, rows)
    return None if right else "its answer does not follow from its rows"


def _learned_rows(sample: Sample, table: _Known, rows: Sequence[Row]) -> Sequence[Row]:
    """The row that the student has to know; none where it is not to know it.

    Raises:
        ValueError: The question names another row, or one that is not the only one.
    """
    if sample.kind not in (*CLOSED_BOOK_KINDS, "abstain") or len(rows) != 1 or sample.donors or sample.shown:
        raise ValueError("not a question that can be asked without a record")
    if sample.kind == "reverse_lookup" and table.count(sample.columns[0], sample.given["value"]) != 1:
        raise ValueError("its value is not that of one row alone")
    if sample.kind != "abstain":
        return rows
    if sample.given["entity"] != table.schema.entity_of(rows[0]):
        raise ValueError("it is not about its row")
    return ()


def _question(sample: Sample, table: _Known) -> Question:
    return Question(
        sample.original if sample.paraphrased else sample.question,
        sample.answer,
        sample.form,
        tuple(sample.columns),
        tuple(range(len(sample.rows))),
        all_columns(table.schema) if sample.mode == CLOSED_BOOK else tuple(sample.shown),
        sample.given,
        sample.tools,
    )


def _rows(sample: Sample, table: _Known) -> Sequence[Row]:
    if any(number < 0 for number in sample.rows):
        raise IndexError("a negative row number")
    if not sample.donors:
        return [table.rows[number] for number in sample.rows]
    rows = [swapped(table.table, number, donors) for number, donors in zip(sample.rows, sample.donors, strict=True)]
    if not sample.invented:
        return rows
    return [
        {**row, **{name: table.patterns.value(name, text) for name, text in values.items()}}
        for row, values in zip(rows, sample.invented, strict=True)
    ]
