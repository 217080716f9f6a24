"""What variants cost, as one Markdown table: one variant, or two and how many times better the first is.

Does not measure anything.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["costs_table"]

# What a row says, the ratio that belongs to it, the figure of a cost, and what it is multiplied with.
_ROWS = (
    ("size, MB", "size", "size_bytes", 1e-6),
    ("load, s", "load", "load_seconds", 1),
    ("peak memory, MB", "memory", "peak_memory_bytes", 1e-6),
    ("first token, ms", "first_token", "first_token_seconds", 1e3),
    ("decode, tokens/s", "decode", "decode_tokens_per_second", 1),
    ("decode of given tokens, tokens/s", "forced", "forced_tokens_per_second", 1),
)


def costs_table(
    columns: Mapping[str, Mapping[str, float]],
    ratios: Mapping[str, float],
    intervals: Mapping[str, tuple[float, float]],
) -> str:
    """The table.

    Args:
        columns: What each variant costs, by the column's title.
        ratios: How many times better the one is than the other; without these there is no such column.
        intervals: 95 % interval of each ratio, where it is known.
    """
    titles = ["cost", *columns, *(["times better (95 % interval)"] if ratios else [])]
    rows = [
        [name, *(_number(cost[figure] * unit) for cost in columns.values()), *_times(ratio, ratios, intervals)]
        for name, ratio, figure, unit in _ROWS
        if all(figure in cost for cost in columns.values())
    ]
    return "\n".join(f"| {' | '.join(row)} |" if row else "|---" * len(titles) + "|" for row in [titles, [], *rows])


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def _times(name: str, ratios: Mapping[str, float], intervals: Mapping[str, tuple[float, float]]) -> list[str]:
    if not ratios:
        return []
    low, high = intervals.get(name, (0.0, 0.0))
    known = name in intervals and f"{low:.1f}" != f"{high:.1f}"
    return [f"{ratios[name]:.1f}" + (f" ({low:.1f} to {high:.1f})" if known else "")]
