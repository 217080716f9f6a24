"""What the data layer hands on: question-answer pairs and samples, as text.

A sample knows where it comes from down to the row and column. Does not know tokens.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from attar.runtime.errors import DataError
from attar.runtime.files import write_atomic
from attar.runtime.prompts import Message, answer_prompt

__all__ = ["QAPair", "Sample", "read_samples", "require_both_splits", "write_samples"]


@dataclass(frozen=True)
class QAPair:
    """A question with its answer and the row that both come from."""

    question: str
    answer: str
    row: Mapping[str, object]
    table: str
    entity: str
    column: str
    form: str
    split: str


@dataclass(frozen=True)
class Sample:
    """One prompt with its checked answer and its lineage.

    Attributes:
        id: 16 hex digits of the hash of everything that the sample says.
        record: The record as the prompt shows it.
        question: The question below it.
        answer: The answer that the row gives.
        kind: Question kind, such as "lookup".
        form: Name of the surface form; training and test share none.
        split: "train" or "test".
        source: The table's file, or its database and query; never a password.
        source_sha256: Hash of that file, or of the query's rows.
        table: What one row is.
        row: Row number in the source, from 0.
        column: The column that is asked for.
        counterfactual: Whether values were swapped between rows; never in the test split.
    """

    id: str
    record: str
    question: str
    answer: str
    kind: str
    form: str
    split: str
    source: str
    source_sha256: str
    table: str
    row: int
    column: str
    counterfactual: bool = False

    @property
    def messages(self) -> list[Message]:
        """The prompt as the QA agent sends it."""
        return answer_prompt(self.question, self.record)

    @property
    def group(self) -> str:
        """What samples on the same record share."""
        return self.record


def require_both_splits(samples: Iterable[Sample]) -> None:
    """Check that there is something to train on and something to test with.

    Raises:
        DataError: A split is empty.
    """
    counts = dict.fromkeys(("train", "test"), 0)
    for sample in samples:
        counts[sample.split] += 1
    for split, count in counts.items():
        if count == 0:
            raise DataError(
                f"There is no sample to {split} with.",
                why=f"Of {sum(counts.values())} samples, all fell to the other split.",
                next_step="Give more rows, or change data.test_share.",
            )


def write_samples(path: Path, samples: Iterable[Sample]) -> None:
    """Write samples as JSON Lines, atomically."""
    write_atomic(path, "".join(json.dumps(asdict(sample), ensure_ascii=False) + "\n" for sample in samples))


def read_samples(path: Path) -> list[Sample]:
    """Read what :func:`write_samples` wrote.

    Raises:
        DataError: The file is missing or holds something else.
    """
    try:
        with path.open(encoding="utf-8") as lines:
            return [Sample(**json.loads(line)) for line in lines]
    except (OSError, ValueError, TypeError) as error:
        raise DataError("The samples can't be read.", where=path, why=error) from error
