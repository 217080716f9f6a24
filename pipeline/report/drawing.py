"""Plots and pages as text: bars in SVG, a standalone HTML page around them.

No scripts, nothing from the network, every text escaped; readable in light and in dark. Does not know what is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

__all__ = ["bars", "columns", "html_page", "html_table"]

_ROW = 20
_NAME_WIDTH, _BAR_WIDTH, _FIGURE_WIDTH = 220, 300, 90
_LONGEST_NAME = 32
_HEIGHT, _WIDTH = 90, 280
_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fdfdfb; --faint: #6b7280; --line: #d8dad5;
  --bar: #3a6ea5; --bad: #b3261e; --look: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e6e3; --paper: #16181b; --faint: #9aa1ab; --line: #33373d;
  --bar: #7fb0e6; --bad: #ff8a80; --look: #f0c26b; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 70rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; border-top: 1px solid var(--line);
  padding-top: 1rem; } h3 { font-size: 1rem; margin-bottom: .3rem; }
.wide { overflow-x: auto; } .plots { display: flex; flex-wrap: wrap; gap: 1rem 2rem; }
table { border-collapse: collapse; font-size: .9rem; } th, td { text-align: left; vertical-align: top;
  padding: .2rem .8rem .2rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; max-width: 26rem; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.stops { color: var(--bad); } .look { color: var(--look); } .faint { color: var(--faint); }
svg { max-width: 100%; height: auto; } svg text { font: 12px system-ui, sans-serif; fill: var(--ink); }
svg .faint { fill: var(--faint); } svg rect { fill: var(--bar); } figure { margin: 0; }
figcaption { font-size: .85rem; color: var(--faint); }
"""


def bars(title: str, values: Sequence[tuple[str, float]]) -> str:
    """Horizontal bars, one a name, each with its figure; an SVG in a figure."""
    most = max((value for _, value in values), default=0) or 1
    height = _ROW * len(values) + 4
    width = _NAME_WIDTH + _BAR_WIDTH + _FIGURE_WIDTH
    parts = []
    for place, (name, value) in enumerate(values):
        top = place * _ROW
        length = max(1.0, _BAR_WIDTH * value / most) if value else 0.0
        parts.append(
            f'<text x="{_NAME_WIDTH - 8}" y="{top + 15}" text-anchor="end"><title>{escape(name)}</title>'
            f"{escape(_short(name))}</text>"
            f'<rect x="{_NAME_WIDTH}" y="{top + 4}" width="{length:.1f}" height="{_ROW - 6}" rx="2"/>'
            f'<text x="{_NAME_WIDTH + length + 6:.1f}" y="{top + 15}" class="faint">{_figure(value)}</text>'
        )
    return _figure_of(title, width, height, parts)


def columns(title: str, counts: Sequence[int], least: str, most: str) -> str:
    """A histogram: one upright bar a bin, the ends of the range written below."""
    highest = max(counts, default=0) or 1
    step = _WIDTH / max(len(counts), 1)
    parts = []
    for place, count in enumerate(counts):
        height = max(1.0, (_HEIGHT - 10) * count / highest) if count else 0.0
        parts.append(
            f'<rect x="{place * step:.1f}" y="{_HEIGHT - height:.1f}" width="{max(step - 1.5, 1):.1f}" '
            f'height="{height:.1f}"><title>{count:,}</title></rect>'
        )
    parts.append(f'<text x="0" y="{_HEIGHT + 15}" class="faint">{escape(_short(least))}</text>')
    parts.append(f'<text x="{_WIDTH}" y="{_HEIGHT + 15}" text-anchor="end" class="faint">{escape(_short(most))}</text>')
    return _figure_of(title, _WIDTH, _HEIGHT + 20, parts)


def html_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table; a number stands at the right, with its thousands apart."""
    if not rows:
        return ""
    numbers = [all(isinstance(row[place], int | float) for row in rows) for place in range(len(head))]
    kinds = [' class="number"' if number else "" for number in numbers]
    top = "".join(f"<th{kind}>{escape(name)}</th>" for name, kind in zip(head, kinds, strict=True))
    body = "".join(
        "<tr>"
        + "".join(f"<td{kind}>{escape(_cell(value))}</td>" for value, kind in zip(row, kinds, strict=True))
        + "</tr>\n"
        for row in rows
    )
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead>\n<tbody>\n{body}</tbody></table></div>'


def html_page(title: str, parts: Sequence[str]) -> str:
    """A whole page around parts that are HTML already."""
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{escape(title)}</h1>\n{body}\n</body>\n</html>\n"
    )


def _figure_of(title: str, width: float, height: float, parts: Sequence[str]) -> str:
    drawing = "".join(parts)
    return (
        f"<figure><figcaption>{escape(title)}</figcaption>"
        f'<svg viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" role="img" '
        f'aria-label="{escape(title)}">{drawing}</svg></figure>'
    )


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 1]}…"


def _figure(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.3g}"


def _cell(value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _figure(value)
    return "" if value is None else str(value)
