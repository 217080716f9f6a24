"""Shares with their intervals as bars, side by side in groups: one SVG file that stands by itself.

No scripts, nothing from the network, every text escaped; readable in light and in dark. The plot beside the card is
one of these: exact match of each model on each question kind. Does not measure anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from .names import NAMES
from .results import Report

__all__ = ["PLOT", "Bar", "grouped_bars", "kinds_plot"]

PLOT = "exact_match.svg"
"""The file's name beside the card."""
_LEFT, _WIDTH, _RIGHT = 200, 420, 70
_TOP, _BAR, _GAP = 64, 13, 10
_LONGEST_NAME = 28
_TICKS = (0, 20, 40, 60, 80, 100)
_STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1b1f24; } .faint { fill: #6b7280; } .title { font-size: 14px; }
.paper { fill: #fdfdfb; } .grid { stroke: #d8dad5; } .whisker { stroke: #1b1f24; stroke-width: 1.2; fill: none; }
.s0 { fill: #9aa5b1; } .s1 { fill: #3a6ea5; } .s2 { fill: #d08a2e; } .s3 { fill: #3c896d; } .s4 { fill: #8a5aa8; }
.weak { fill: #b3261e; font-weight: 600; }
@media (prefers-color-scheme: dark) { text { fill: #e6e6e3; } .faint { fill: #9aa1ab; } .paper { fill: #16181b; }
  .grid { stroke: #33373d; } .whisker { stroke: #e6e6e3; } .s0 { fill: #6b7684; } .s1 { fill: #7fb0e6; }
  .s2 { fill: #f0b25b; } .s3 { fill: #6cc3a0; } .s4 { fill: #c79be2; } .weak { fill: #ff8a80; } }
"""


@dataclass(frozen=True)
class Bar:
    """A share from 0 to 1, and the ends of its interval."""

    value: float
    low: float
    high: float


def grouped_bars(
    title: str, series: Sequence[str], groups: Mapping[str, Sequence[Bar | None]], *, marked: Sequence[str] = ()
) -> str:
    """The SVG.

    Args:
        title: Stands above.
        series: What the bars of a group are, in order; at most five.
        groups: Name to as many bars as there are series; None leaves a place empty.
        marked: Groups whose names are set off, for they want a look.
    """
    step = len(series) * _BAR + _GAP
    height, width = _TOP + step * len(groups) + 28, _LEFT + _WIDTH + _RIGHT
    parts = [f'<rect class="paper" width="{width}" height="{height}"/>']
    parts += [f'<text class="title" x="12" y="22">{escape(title)}</text>', *_legend(series), *_grid(height - 24)]
    for number, (name, bars) in enumerate(groups.items()):
        top = _TOP + number * step
        parts += _group(name, bars, top, is_marked=name in marked)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{escape(title)}"><style>{_STYLE}</style>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def kinds_plot(report: Report) -> str:
    """Exact match on all held-out questions and on each kind, of teacher, bundle and, where there is one, baseline."""
    verdict, baseline = report.verdict, report.baseline.get("verdict")
    names = ["corrected_teacher", "quantized", *(["baseline"] if baseline else [])]
    groups = {"all questions": _bars(verdict, baseline)}
    if len(verdict["kinds"]) > 1:
        others = baseline["kinds"] if baseline else {}
        groups |= {kind: _bars(found, others.get(kind)) for kind, found in verdict["kinds"].items()}
    title = "Exact match on held-out questions, with 95 % intervals"
    return grouped_bars(title, [NAMES[name] for name in names], groups, marked=verdict["weak"])


def _bars(verdict: Mapping[str, Any], baseline: Mapping[str, Any] | None) -> list[Bar | None]:
    found = [verdict["theirs"], verdict["ours"], *([baseline["theirs"]] if baseline else [])]
    return [Bar(**each) for each in found]


def _legend(series: Sequence[str]) -> list[str]:
    parts, left = [], 12
    for number, name in enumerate(series):
        parts.append(f'<rect class="s{number}" x="{left}" y="34" width="11" height="11" rx="2"/>')
        parts.append(f'<text x="{left + 16}" y="44">{escape(name)}</text>')
        left += 34 + 7 * len(name)
    return parts


def _grid(bottom: int) -> list[str]:
    parts = []
    for tick in _TICKS:
        x = _LEFT + _WIDTH * tick / 100
        parts.append(f'<line class="grid" x1="{x:g}" y1="{_TOP - 6}" x2="{x:g}" y2="{bottom}"/>')
        parts.append(f'<text class="faint" x="{x:g}" y="{bottom + 16}" text-anchor="middle">{tick} %</text>')
    return parts


def _group(name: str, bars: Sequence[Bar | None], top: int, *, is_marked: bool) -> list[str]:
    middle = top + len(bars) * _BAR / 2 + 4
    short = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
    style = ' class="weak"' if is_marked else ""
    parts = [
        f'<text{style} x="{_LEFT - 8}" y="{middle:g}" text-anchor="end"><title>{escape(name)}</title>'
        f"{escape(short)}</text>"
    ]
    for number, bar in enumerate(bars):
        if bar is not None:
            parts += _bar(bar, number, top + number * _BAR)
    return parts


def _bar(bar: Bar, number: int, top: int) -> list[str]:
    low, high = (_LEFT + _WIDTH * end for end in (bar.low, bar.high))
    middle = top + (_BAR - 2) / 2
    whisker = f"M{low:.1f} {middle - 3:g}v6M{low:.1f} {middle:g}H{high:.1f}M{high:.1f} {middle - 3:g}v6"
    return [
        f'<rect class="s{number}" x="{_LEFT}" y="{top}" width="{_WIDTH * bar.value:.1f}" height="{_BAR - 2}" rx="2"/>',
        f'<path class="whisker" d="{whisker}"/>',
        f'<text class="faint" x="{high + 6:.1f}" y="{top + 10}">{bar.value:.1%}</text>',
    ]
