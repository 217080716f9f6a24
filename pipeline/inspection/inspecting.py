"""The whole look: every table of a config, and the samples that a build would make of them.

Hands on an :class:`~.findings.Inspection`. Writes nothing. Does not know how it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..config import RunConfig
from ..data import LoadedTable, Source
from ..data.schema import TableSchema, written
from ..data.splits import RowSplits
from ..progress import say
from ..stages.data import configured_loader, sources_of
from .counting import MOST_PLACES, ColumnTally, histogram
from .findings import ColumnFacts, Example, Inspection, Problem, TableFacts
from .places import places_of
from .problems import problems_of
from .trial import try_out
from .view import View, shown, view_of

__all__ = ["inspect_tables"]

_COMMON = 12
"""Most frequent values of a column that are shown."""


def inspect_tables(config: RunConfig, *, with_tokens: bool = True) -> Inspection:
    """Read the tables of a config and look at them.

    Args:
        config: The run.
        with_tokens: Whether to count the tokens of prompts, where the teacher's tokenizer is there.

    Raises:
        DataError: A table can't be read or used at all.
    """
    say("reading the tables")
    sources = sources_of(config)
    loader = configured_loader(config, sources)
    if not with_tokens:
        loader.too_long = None
    say("asking questions")
    trial = try_out(loader, config.distillation.teacher_model_name if with_tokens else None)
    tables = []
    for place, (table, source) in enumerate(zip(loader.tables, sources, strict=True)):
        say(f"looking at {table.schema.label}: {len(table.rows):,} rows")
        tables.append(_facts(view_of(table), loader.splits.get(place, RowSplits()), source))
    return Inspection(config.name, tables, trial)


def _facts(view: View, splits: RowSplits, source: Source) -> TableFacts:
    table = view.table
    return TableFacts(
        label=table.schema.label,
        source=table.source,
        rows=len(table.rows),
        rejects=len(table.rejects),
        sampled=len(view.sample),
        entity=list(table.schema.entity),
        columns=[_column(view, tally, table.schema) for tally in view.tallies.values()],
        splits={split: len(rows) for split, rows in splits.rows.items()},
        problems=_placed([*problems_of(view), *_between_splits(view, splits)], table, source),
    )


def _placed(problems: Sequence[Problem], table: LoadedTable, source: Source) -> list[Problem]:
    """The problems, each example with the line on which its row stands, and that of the one it is compared with."""
    examples = [one for problem in problems for one in problem.examples]
    places = places_of(source, table, [n for one in examples for n in (one.row, one.like) if n is not None])
    return [replace(problem, examples=[_at(one, places) for one in problem.examples]) for problem in problems]


def _at(example: Example, places: Mapping[int, str]) -> Example:
    if example.row is None:
        return example
    why = example.why if example.like is None else f"{example.why}, {places[example.like]}"
    return replace(example, where=places[example.row], why=why)


def _between_splits(view: View, splits: RowSplits) -> list[Problem]:
    """Rows that belong to no split, as the parting found them."""
    left_out = splits.left_out
    if not left_out:
        return []
    return [
        Problem(
            "between the splits",
            f"Rows that nearly repeat, or name by a link, rows of both splits, and are left out: {len(left_out):,}.",
            len(left_out),
            "Remove repeats, or leave out the link that matters least.",
            [view.example(number) for number in left_out[:MOST_PLACES]],
        )
    ]


def _column(view: View, tally: ColumnTally, schema: TableSchema) -> ColumnFacts:
    counts = view.common[tally.name]
    lengths = [len(text) for text in counts.elements()]
    values = [row[tally.name] for row in view.rows if written(row[tally.name]) is not None]
    labels = {column.name: column.label for column in schema.columns}
    return ColumnFacts(
        name=tally.name,
        label=labels.get(tally.name, ""),
        type=schema.types.get(tally.name, tally.type),
        gaps=tally.gaps,
        distinct=tally.distinct.count,
        exact=tally.distinct.exact,
        example=shown(next(iter(counts), "")),
        common=[(shown(text), count) for text, count in counts.most_common(_COMMON)],
        histogram=histogram(values),
        shortest=min(lengths, default=0),
        longest=max([*lengths, *(length for length, _ in tally.longest[:1])], default=0),
        mean_length=round(sum(lengths) / len(lengths), 1) if lengths else 0.0,
    )
