"""What a look at the tables found, as one HTML page that needs nothing else. Does not know how it was found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from ..report.drawing import bars, columns, html_page, html_table
from .findings import ColumnFacts, Histogram, Inspection, Problem, TableFacts, Trial

__all__ = ["page"]

_MOST_COLUMNS = 60
"""Columns that are drawn; a table of ten thousand would make a page that nobody opens."""


def page(found: Inspection) -> str:
    """The page."""
    verdict = "A build goes through." if found.usable else "A build stops at what is marked below."
    parts = [f'<p class="{"" if found.usable else "stops"}">{verdict}</p>', *_overview(found), *_problems(found)]
    for table in found.tables:
        parts += _table(table)
    parts += _trial(found.trial)
    return html_page(f"The tables of {found.name}", parts)


def _overview(found: Inspection) -> Iterator[str]:
    head = ["table", "rows", "left out", "columns", "named by", "train", "test", "source"]
    yield html_table(
        head,
        [
            (t.label, t.rows, t.rejects, len(t.columns), " and ".join(t.entity), *_parts(t), t.source)
            for t in found.tables
        ],
    )
    if any(table.sampled < table.rows for table in found.tables):
        yield (
            '<p class="faint">Of large tables, frequent values, plots and spellings come from a sample of rows that '
            "are evenly spread from start to end, and so do their splits above; rows, gaps, distinct values, names "
            "and lengths of text are counted over all rows (distinct values beyond 65,536 are estimated).</p>"
        )


def _parts(table: TableFacts) -> tuple[str, str]:
    total = sum(table.splits.values()) or 1
    return f"{table.splits['train'] / total:.1%}", f"{table.splits['test'] / total:.1%}"


def _problems(found: Inspection) -> Iterator[str]:
    yield "<h2>To look at</h2>"
    if not found.problems:
        yield "<p>Nothing.</p>"
    for label, problem in found.problems:
        yield _problem(label, problem)


def _problem(label: str, problem: Problem) -> str:
    place = f"{escape(label)}: " if label else ""
    kind = "stops" if problem.stops else "look"
    note = ' <span class="faint">(in the sampled rows)</span>' if problem.sampled else ""
    parts = [f'<h3 class="{kind}">{place}{escape(problem.name)}</h3>', f"<p>{escape(problem.what)}{note}"]
    parts.append(f" {escape(problem.next_step)}</p>" if problem.next_step else "</p>")
    if problem.examples:
        rows = [(one.where, one.column, one.value, one.why) for one in problem.examples]
        summary = f"{len(rows)} examples" if len(rows) > 1 else "one example"
        table = html_table(["where", "column", "value", "why"], rows)
        parts.append(f"<details><summary>{summary}</summary>{table}</details>")
    return "\n".join(parts)


def _table(table: TableFacts) -> Iterator[str]:
    yield f"<h2>{escape(table.label)}</h2>"
    looked = f"{table.rows:,} rows, {table.sampled:,} of them looked at closely"
    yield f'<p class="faint">{escape(table.source)}: {looked}</p>'
    head = ["column", "called", "type", "gaps", "distinct", "characters", "example"]
    yield html_table(head, [_row(column, table) for column in table.columns])
    shown = table.columns[:_MOST_COLUMNS]
    yield f'<div class="plots">{"".join(_plot(column) for column in shown)}</div>'
    if len(shown) < len(table.columns):
        yield f'<p class="faint">The first {_MOST_COLUMNS} columns are drawn.</p>'


def _row(column: ColumnFacts, table: TableFacts) -> Sequence[object]:
    label = f"{column.label or '—'}{' (names the row)' if column.name in table.entity else ''}"
    distinct = f"{'' if column.exact else 'about '}{column.distinct:,}"
    lengths = f"{column.shortest:,} to {column.longest:,}, mean {column.mean_length:g}"
    return column.name, label, column.type, column.gaps, distinct, lengths, column.example


def _plot(column: ColumnFacts) -> str:
    if column.histogram:
        return _drawn(column.name, column.histogram)
    if column.common and column.common[0][1] > 1:
        return bars(column.name, column.common)
    return ""


def _drawn(title: str, found: Histogram) -> str:
    return columns(title, found.counts, found.least, found.most)


def _trial(trial: Trial) -> Iterator[str]:
    yield "<h2>Samples</h2>"
    made = "all that a build makes" if trial.whole else f"of {trial.records:,} training records of each table"
    yield f'<p class="faint">Made to look at: {made}.</p>'
    rows = [(kind, splits["train"], splits["test"]) for kind, splits in trial.kinds.items()]
    yield html_table(["kind", "train", "test"], rows)
    for title, counts in (("Refused by their checkers", trial.refused), ("Dropped by filters", trial.dropped)):
        if counts:
            yield f"<p>{title}: {', '.join(f'{escape(name)} {count:,}' for name, count in counts.items())}</p>"
    plots = [_drawn("tokens of a prompt", trial.prompt_tokens)] if trial.prompt_tokens else []
    plots += [_drawn("tokens of an answer", trial.answer_tokens)] if trial.answer_tokens else []
    plots += [bars("the most frequent answers", trial.answers)] if trial.answers else []
    yield f'<div class="plots">{"".join(plots)}</div>'
    if trial.longest:
        yield f"<p>The longest prompt has {trial.longest:,} tokens with its answer.</p>"
    if trial.no_tokens:
        yield f'<p class="faint">Tokens were not counted: {escape(trial.no_tokens)}.</p>'
