"""What is worth a look in one table: each check a function from a view to the problems it finds.

A new check is one function and one line in ``CHECKS``. Does not know how figures are counted or shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from .counting import MOST_PLACES
from .findings import Example, Problem
from .repeats import near_duplicates
from .view import View, shown

__all__ = ["CHECKS", "problems_of"]

_LONG = 500
"""Characters from which a value is long: with its record it fills a good part of a small model's window."""
_FREE_TEXT = 120
"""Mean characters from which a column is free text."""
_MOSTLY = 0.95
"""Share of the rows from which one value is nearly all."""
_FEW_ROWS = 8
"""Rows below which repeats and gaps mean nothing."""


def problems_of(view: View) -> list[Problem]:
    """Everything that the checks find, in their order."""
    return [problem for check in CHECKS for problem in check(view)]


def _rejected(view: View) -> Iterator[Problem]:
    rejects = view.table.rejects
    if len(rejects):
        found = zip(rejects, range(MOST_PLACES), strict=False)
        yield Problem(
            "left out",
            f"Rows that can't be read by the schema and are left out: {len(rejects):,}.",
            len(rejects),
            "Correct them, or give the column another type in a schema file; a build lists all of them in "
            "rejects.jsonl.",
            [_reject(one) for one, _ in found],
        )


def _reject(reject: dict[str, Any]) -> Example:
    line, row = reject["line"], reject["row"]
    where = f"{reject['source']}:{line}" if line is not None else f"{reject['source']}, row {row}"
    return Example(where, reject["column"] or "", shown(reject["value"]), reject["reason"])


def _unnamed(view: View) -> Iterator[Problem]:
    numbers, count = view.unnamed
    if count:
        columns = " and ".join(view.table.schema.entity)
        yield Problem(
            "rows without a name",
            f"Rows without a value in {view.table.schema.entity[0]!r}, which names them: {count:,}; they are left out.",
            count,
            f"Fill them, or name other entity columns than {columns}.",
            [Example(row=number) for number in numbers],
        )


def _repeated(view: View) -> Iterator[Problem]:
    numbers, count = view.repeated
    if count:
        yield Problem(
            "repeated names",
            f"Rows with the name of an earlier row: {count:,}; a question can't tell them apart.",
            count,
            'Add a column that tells them apart, such as "entity": '
            f'["{view.table.schema.entity[0]}", "..."], or remove the repeats.',
            [view.example(number) for number in numbers],
        )


def _one_value(view: View) -> Iterator[Problem]:
    for name, tally in view.tallies.items():
        recorded = tally.rows - tally.gaps
        if not recorded:
            yield Problem("empty columns", f"{name!r} holds no value.", 1, "Leave it out by the table's columns.")
        elif tally.distinct.exact and tally.distinct.count == 1 and recorded >= _FEW_ROWS:
            (value, _), *_ = view.common[name].most_common(1) or [("", 0)]
            yield Problem(
                "constant columns",
                f"{name!r} is {shown(value)!r} wherever it is recorded: whoever answers that is right without reading.",
                1,
                "Leave it out by the table's columns.",
            )


def _unbalanced(view: View) -> Iterator[Problem]:
    for name, counts in view.common.items():
        total = counts.total()
        for value, count in counts.most_common(1):
            if total >= _FEW_ROWS and _MOSTLY * total <= count < total:
                yield Problem(
                    "one value nearly everywhere",
                    f"{name!r} is {shown(value)!r} in {count / total:.1%} of the rows that have it.",
                    count,
                    "Leave it out, or expect a student that answers this without reading.",
                    _with_other(view, name, value),
                    sampled=not view.whole,
                )


def _with_other(view: View, name: str, common: str) -> list[Example]:
    """The first rows that have another value there."""
    from ..data.schema import written

    found = (n for n, row in zip(view.sample, view.rows, strict=True) if written(row[name]) not in (None, common))
    return [view.example(number, name) for number, _ in zip(found, range(MOST_PLACES), strict=False)]


def _gaps(view: View) -> Iterator[Problem]:
    for name, tally in view.tallies.items():
        if name != view.table.schema.entity[0] and tally.rows / 2 < tally.gaps < tally.rows:
            yield Problem(
                "mostly not recorded",
                f"{name!r} is recorded in {tally.rows - tally.gaps:,} of {tally.rows:,} rows.",
                tally.gaps,
                "Leave it out, or ask the kind not_recorded of it.",
            )


def _long(view: View) -> Iterator[Problem]:
    for name, tally in view.tallies.items():
        places = [(length, number) for length, number in tally.longest if length >= _LONG]
        if places:
            yield Problem(
                "very long values",
                f"{name!r} has values of up to {places[0][0]:,} characters; each stands in every prompt of its row.",
                len(places),
                "Leave the column out, or shorten the values.",
                [view.example(number, name, f"{length:,} characters") for length, number in places],
            )


def _free_text(view: View) -> Iterator[Problem]:
    for name, counts in view.common.items():
        total = counts.total()
        characters = sum(len(text) * count for text, count in counts.items())
        if total and characters / total >= _FREE_TEXT:
            yield Problem(
                "free text",
                f"{name!r} holds {characters / total:.0f} characters on average: to copy it word for word is no task "
                "for a small student.",
                total,
                "Leave it out, or name it only where summaries are wanted.",
                sampled=not view.whole,
            )


def _identifiers(view: View) -> Iterator[Problem]:
    for name, tally in view.tallies.items():
        recorded = tally.rows - tally.gaps
        every = tally.distinct.exact and tally.distinct.count == recorded
        if name in view.table.schema.entity or recorded < _FEW_ROWS or not every:
            continue
        if view.table.schema.types.get(name) == "integer" and _counts_up(view, name):
            yield Problem(
                "row numbers",
                f"{name!r} goes up by the same from row to row, as row numbers do.",
                1,
                "Leave it out, unless people ask for it.",
            )


def _counts_up(view: View, name: str) -> bool:
    values = [row[name] for row in view.rows[:200] if row[name] is not None]
    return len(values) > 2 and len({after - before for before, after in pairwise(values)}) == 1


def _spellings(view: View) -> Iterator[Problem]:
    for name, counts in view.common.items():
        alike: dict[str, list[str]] = defaultdict(list)
        for text in counts:
            alike[text.casefold()].append(text)
        groups = [sorted(texts, key=lambda text: -counts[text]) for texts in alike.values() if len(texts) > 1]
        if groups:
            rarer = {text for texts in groups for text in texts[1:]}
            yield Problem(
                "spellings",
                f"{name!r} has values that differ in capitals alone, {len(groups):,} in all, such as "
                f"{' and '.join(map(repr, map(shown, groups[0][:3])))}.",
                sum(counts[text] for text in rarer),
                "Write each value in one way, or the checkers count them as two.",
                _first_with(view, name, rarer),
                sampled=not view.whole,
            )


def _first_with(view: View, name: str, texts: set[str]) -> list[Example]:
    from ..data.schema import written

    found = (number for number, row in zip(view.sample, view.rows, strict=True) if written(row[name]) in texts)
    return [view.example(number, name) for number, _ in zip(found, range(MOST_PLACES), strict=False)]


def _marked(view: View) -> Iterator[Problem]:
    for name, tally in view.tallies.items():
        for mark, (count, numbers) in tally.marked.items():
            yield Problem(
                "odd texts",
                f"Values of {name!r} that {mark}: {count:,}.",
                count,
                "They are taken as text; correct them where that is wrong.",
                [view.example(number, name) for number in numbers],
            )


CHECKS: tuple[Callable[[View], Iterator[Problem]], ...] = (
    _rejected,
    _unnamed,
    _repeated,
    near_duplicates,
    _one_value,
    _unbalanced,
    _gaps,
    _long,
    _free_text,
    _identifiers,
    _spellings,
    _marked,
)
"""All checks, in the order in which they are shown."""
