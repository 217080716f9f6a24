"""What a look at the tables found, as values: of each column, of each table, of the samples it would give.

All of it turns into JSON. Does not know how anything is found or shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["ColumnFacts", "Example", "Histogram", "Inspection", "Problem", "TableFacts", "Trial"]


@dataclass(frozen=True)
class Histogram:
    """How often values fall into bins of equal width.

    Attributes:
        least: Lower end of the first bin, written.
        most: Upper end of the last bin, written.
        counts: One a bin.
    """

    least: str
    most: str
    counts: list[int]


@dataclass(frozen=True)
class Example:
    """One place where a problem shows.

    Attributes:
        row: The row's number in the table, where it is in it.
        like: Number of the row that it is compared with, where there is one.
        where: The file with its line, such as ``cities.csv:12``, or the source with the row's number.
        column: The column, where it is about one.
        value: The value there, its beginning where it is long.
        why: What is wrong with it, where the problem does not say.
    """

    where: str = ""
    column: str = ""
    value: str = ""
    why: str = ""
    row: int | None = None
    like: int | None = None


@dataclass(frozen=True)
class Problem:
    """Something to look at, or that stops a build.

    Attributes:
        name: A few words that name it, the same in every table.
        what: One sentence on what was found here.
        count: How often.
        next_step: What can be done about it.
        examples: Up to ten places.
        stops: Whether a build fails at it.
        sampled: Whether only a sample of the rows was looked at.
    """

    name: str
    what: str
    count: int
    next_step: str = ""
    examples: list[Example] = field(default_factory=list)
    stops: bool = False
    sampled: bool = False


@dataclass(frozen=True)
class ColumnFacts:
    """One column.

    Attributes:
        name: Its name in the source.
        label: How people call it; empty where it is not used.
        type: Its type, as the schema calls it.
        gaps: Rows without a value.
        distinct: How many values it has; estimated where ``exact`` is false.
        exact: Whether they were counted.
        example: A value, written.
        common: The most frequent values with their counts, in the rows that were sampled.
        histogram: Of numbers and dates, in the rows that were sampled.
        shortest: Characters of the shortest written value.
        longest: Of the longest.
        mean_length: Of all.
    """

    name: str
    label: str
    type: str
    gaps: int
    distinct: int
    exact: bool
    example: str
    common: list[tuple[str, int]]
    histogram: Histogram | None
    shortest: int
    longest: int
    mean_length: float


@dataclass(frozen=True)
class TableFacts:
    """One table.

    Attributes:
        label: What one row is.
        source: The file, or the database and query.
        rows: How many were read.
        rejects: How many were left out.
        sampled: How many rows the dear checks looked at.
        entity: Columns that name a row.
        columns: Every column of the schema, those that name a row included.
        splits: Rows by split, of those that can be asked about; none where rows are not what is parted.
        problems: What was found.
    """

    label: str
    source: str
    rows: int
    rejects: int
    sampled: int
    entity: list[str]
    columns: list[ColumnFacts]
    splits: dict[str, int]
    problems: list[Problem]


@dataclass(frozen=True)
class Trial:
    """The samples that were made to see what a build would give.

    Attributes:
        records: Training records of each table they were made of.
        whole: Whether they are all that the build makes.
        kinds: Question kind to its samples by split.
        answers: The most frequent answers of the training split, with their counts.
        refused: Question kind to how many its checker refused.
        dropped: Reason to how many samples a filter dropped.
        prompt_tokens: Lengths of the prompts after the template.
        answer_tokens: Lengths of the answers.
        longest: Tokens of the longest prompt with its answer.
        no_tokens: Why no tokens were counted; empty where they were.
        problems: What was found.
    """

    records: int | None
    whole: bool
    kinds: dict[str, dict[str, int]]
    answers: list[tuple[str, int]]
    refused: dict[str, int]
    dropped: dict[str, int]
    prompt_tokens: Histogram | None
    answer_tokens: Histogram | None
    longest: int | None
    no_tokens: str
    problems: list[Problem]


@dataclass(frozen=True)
class Inspection:
    """All of it.

    Attributes:
        name: The config's.
        tables: In the order of the config.
        trial: What questions on them give.
    """

    name: str
    tables: Sequence[TableFacts]
    trial: Trial

    @property
    def problems(self) -> list[tuple[str, Problem]]:
        """Every problem with the table it is in, empty for what is about the samples; those that stop come first."""
        found = [(table.label, problem) for table in self.tables for problem in table.problems]
        found += [("", problem) for problem in self.trial.problems]
        return sorted(found, key=lambda one: not one[1].stops)

    @property
    def usable(self) -> bool:
        """Whether a build would go through."""
        return not any(problem.stops for _, problem in self.problems)

    def to_dict(self) -> dict[str, Any]:
        """The same, for JSON."""
        return {"usable": self.usable, **asdict(self)}
