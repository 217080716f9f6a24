"""Whether the tables of a config are there, readable, and enough to train and to test on.

Hands on what was found in each. Does not know teachers or students.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from .config import RunConfig
from .data import require_both_splits
from .stages.data import configured_loader, sources_of

__all__ = ["TableFacts", "check_tables"]


@dataclass(frozen=True)
class TableFacts:
    """What a table of a config holds.

    Attributes:
        label: What one row is.
        rows: How many there are.
        size: Bytes of their records as text.
        entity: Columns that name a row.
        columns: Readable names of the columns that are asked for.
        questions: How many questions it gives, by split.
    """

    label: str
    rows: int
    size: int
    entity: list[str]
    columns: list[str]
    questions: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """The same, for JSON."""
        return asdict(self)


def check_tables(config: RunConfig) -> list[TableFacts]:
    """Load every table and ask every question.

    Raises:
        DataError: A table can't be used, or one of the two splits is empty.
    """
    loader = configured_loader(config, sources_of(config))
    samples = loader.prepare_distillation_dataset()
    require_both_splits(Counter(sample.split for sample in samples))
    asked = Counter((sample.table, sample.split) for sample in samples)
    size: Counter[str] = Counter()
    for table, _, _, text in loader.records():
        size[table.schema.label] += len(text.encode())
    return [
        TableFacts(
            table.schema.label,
            len(table.rows),
            size[table.schema.label],
            list(table.schema.entity),
            [column.label for column in table.schema.columns],
            {split: asked[table.schema.label, split] for split in ("train", "test")},
        )
        for table in loader.tables
    ]
