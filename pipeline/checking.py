"""Whether the tables of a config are there, readable, and enough to train and to test on.

Hands on what was found in each. Does not know teachers or students.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from attar.runtime.errors import DataError

from .config import RunConfig
from .stages.data import configured_loader

__all__ = ["TableFacts", "check_tables"]


@dataclass(frozen=True)
class TableFacts:
    """What a table of a config holds.

    Attributes:
        label: What one row is.
        rows: How many there are.
        entity: Columns that name a row.
        columns: Readable names of the columns that are asked for.
        questions: How many questions it gives, by split.
    """

    label: str
    rows: int
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
    loader = configured_loader(config)
    asked = Counter((pair.table, pair.split) for pair in loader.create_qa_pairs())
    for split, share in (("train", "smaller"), ("test", "larger")):
        if not any(found == split for _, found in asked):
            raise DataError(
                f"No row of the tables is in the {split} split.",
                where="data.test_share",
                why=f"The tables have {sum(len(table.rows) for table in loader.tables)} rows.",
                next_step=f"Set a {share} data.test_share or another data.salt, or add rows.",
            )
    return [
        TableFacts(
            table.schema.label,
            len(table.rows),
            list(table.schema.entity),
            [column.label for column in table.schema.columns],
            {split: asked[table.schema.label, split] for split in ("train", "test")},
        )
        for table in loader.tables
    ]
