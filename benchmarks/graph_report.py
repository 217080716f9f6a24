"""Tables and plot of what benchmarks/graph.py found. Does not know how it was measured."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from attar.pipeline.measurement import Comparison, compare_blocks

__all__ = ["plot", "table"]

Found = Mapping[str, Any]
"""One entrant's, as benchmarks/graph.py writes it."""

ALLOWED_LOSS = 0.02
TEACHER, OPTIMUM = "teacher, torch fp32", "Optimum ORTModelForCausalLM fp32"
GENAI, LLAMA = "onnxruntime-genai int4", "llama.cpp Q4_0"
LOWER = frozenset({"question", "drafted"})
"""Figures that are times; the others are speeds."""
WIDTH, HEIGHT, MARGIN, LEGEND = 960, 360, 60, 230
COLORS = ("#1b6ca8", "#d1495b", "#3c896d", "#edae49", "#6a4c93", "#333333", "#8d99ae", "#f4845f", "#00798c", "#9a031e")


def table(results: Found) -> str:
    """Markdown: settings, figures, the goals, contexts."""
    found = results["found"]
    lines = ["# The fast graph, its forms and its peers", ""]
    lines += [f"- {name}: {value}" for name, value in results["settings"].items()]
    lines += ["", *figures(found), "", *goals(results), "", *contexts(found), ""]
    return "\n".join(lines)


def figures(found: Mapping[str, Found]) -> list[str]:
    """Medians, and what eight at once decode as a multiple of one alone, with its interval."""
    lines = [
        "| | MB | exact | decode tok/s | prefill tok/s | question ms | drafted ms | 8 at once | 8 over 1 |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, each in found.items():
        exact = "" if each["exact_match"] is None else f"{each['exact_match']:.1%}"
        eight = over = drafted = ""
        if "drafted" in each["rounds"]:
            drafted = f"{1000 * median(each, 'drafted'):.1f}"
        if "eight" in each["rounds"]:
            eight, over = f"{median(each, 'eight'):.0f}", as_text(ratio(each, "eight", each, "decode"))
        lines.append(
            f"| {name} | {each['size'] / 1e6:.1f} | {exact} | {median(each, 'decode'):.1f} "
            f"| {median(each, 'prefill'):.0f} | {1000 * median(each, 'question'):.1f} | {drafted} | {eight} | {over} |"
        )
    return lines


def goals(results: Found) -> list[str]:
    """What was aimed at and what was found, with the form that was taken and the ratio's 95 % interval."""
    found, amx = results["found"], results["settings"]["amx"]
    ours = {name: each for name, each in found.items() if name.startswith("attar ") and passes(each, found)}
    if not ours:
        return []
    lines = ["| measure | against | form | found | wanted |", "|---|---|---|---|---|"]

    def add(what: str, figure: str, other: str, wanted: str, *, only: str = "", its: str = "") -> None:
        taken = [name for name in ours if name.startswith(f"attar {only}")] or list(ours)
        best = max(taken, key=lambda name: speed(ours[name], figure))
        compared = other in found and (its or figure) in found[other]["rounds"]
        times = as_text(ratio(ours[best], figure, found[other], its or figure)) if compared else "not measured"
        lines.append(f"| {what} | {other} | {best} | {times} | {wanted} |")

    add("decode", "decode", TEACHER, "15x")
    add("decode", "decode", OPTIMUM, "4x")
    add("decode, int4", "decode", GENAI, "1x", only="int4")
    add("decode, int4", "decode", LLAMA, "1.3x", only="int4")
    better = max((GENAI, LLAMA), key=lambda name: speed(found[name], "prefill") if name in found else 0.0)
    add("prefill", "prefill", better, "4x" if amx else "the figure")
    add("question", "drafted", TEACHER, "15x", its="question")
    add("question", "drafted", GENAI, "1.7x" if amx else "1.1x", its="question")
    add("question, nothing drafted", "question", TEACHER, "the figure")
    add("question, both draft", "drafted", TEACHER, "the figure")
    best = max(ours, key=lambda name: median(ours[name], "eight") / median(ours[name], "decode"))
    over = as_text(ratio(ours[best], "eight", ours[best], "decode"))
    lines.append(f"| decode, 8 at once | the same form alone | {best} | {over} | 3x |")
    if TEACHER in found:
        best = min(ours, key=lambda name: ours[name]["size"])
        times = f"{found[TEACHER]['size'] / ours[best]['size']:.1f} times smaller"
        lines.append(f"| files opened to answer | the teacher's fp32 weights | {best} | {times} | 12 times |")
    return lines


def median(each: Found, figure: str) -> float:
    """Of all rounds."""
    return statistics.median(each["rounds"][figure])


def speed(each: Found, figure: str) -> float:
    """More is better."""
    return 1 / median(each, figure) if figure in LOWER else median(each, figure)


def ratio(ours: Found, figure: str, other: Found, its: str) -> Comparison:
    """How many times better ours is, each round against the same round."""
    first, second = other["rounds"][its], ours["rounds"][figure]
    if figure in LOWER:
        first, second = second, first
    return compare_blocks([((one,), (two,)) for one, two in zip(first, second, strict=True)])


def as_text(found: Comparison) -> str:
    """A ratio with its interval."""
    return f"{found.ratio:.2f}x ({found.low:.2f} to {found.high:.2f})"


def passes(each: Found, found: Mapping[str, Found]) -> bool:
    """Whether a form loses at most two points against fp32, where it was scored."""
    exact = found.get("attar none", {}).get("exact_match")
    return exact is None or bool(each["exact_match"] >= exact - ALLOWED_LOSS - 1e-9)


def contexts(found: Mapping[str, Found]) -> list[str]:
    """Time per token, with its range over the passes, and memory, by tokens of context."""
    lengths = sorted({int(length) for each in found.values() for length in each["contexts"]})
    if not lengths:
        return []
    head = "".join(f" ms a token at {length:,} | MB |" for length in lengths)
    lines = [f"| context |{head}", "|---" * (2 * len(lengths) + 1) + "|"]
    for name, each in found.items():
        at = {int(length): value for length, value in each["contexts"].items()}
        if at:
            cells = (context_cells(at[length]) if length in at else " | |" for length in lengths)
            lines.append(f"| {name} |{''.join(cells)}")
    return lines


def context_cells(known: Mapping[str, Sequence[float]]) -> str:
    """Both cells of one length."""
    took = [1000 * seconds for seconds in known["seconds_per_token"]]
    memory = statistics.median(known["resident"]) / 1e6
    return f" {statistics.median(took):.2f} ({min(took):.2f} to {max(took):.2f}) | {memory:.0f} |"


def plot(results: Found) -> str:
    """Milliseconds a token, and memory, over tokens of context, as SVG."""
    series = {name: each["contexts"] for name, each in results["found"].items() if each["contexts"]}
    panel_width = (WIDTH - LEGEND) // 2
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    if series:
        parts += panel("Milliseconds a token by tokens of context", points(series, "seconds_per_token", 1e3), 0)
        parts += panel("Memory, MB", points(series, "resident", 1e-6), panel_width)
    for number, name in enumerate(series):
        color, y = COLORS[number % len(COLORS)], MARGIN + 20 * number
        parts.append(f'<text x="{WIDTH - LEGEND + 10}" y="{y}" font-size="12" fill="{color}">{name}</text>')
    return "\n".join([*parts, "</svg>", ""])


Points = dict[str, list[tuple[int, float]]]


def points(series: Mapping[str, Mapping[Any, Any]], figure: str, times: float) -> Points:
    """Medians by length, for each entrant."""
    return {
        name: sorted((int(length), times * statistics.median(value[figure])) for length, value in known.items())
        for name, known in series.items()
    }


def panel(title: str, known: Points, left: int) -> list[str]:
    """One diagram: a line for each entrant, over lengths that double."""
    lengths = sorted({length for line in known.values() for length, _ in line})
    most = max(value for line in known.values() for _, value in line) * 1.05
    start, width, height = left + MARGIN, (WIDTH - LEGEND) // 2 - 1.5 * MARGIN, HEIGHT - 2 * MARGIN
    first, doublings = math.log2(lengths[0]), max(math.log2(lengths[-1] / lengths[0]), 1)

    def place(length: int, value: float) -> tuple[float, float]:
        return start + width * (math.log2(length) - first) / doublings, HEIGHT - MARGIN - height * value / most

    parts = [f'<text x="{start}" y="30" font-size="14">{title}</text>']
    for step in range(5):
        x, y = place(lengths[0], most * step / 4)
        text = f"{most * step / 4:.4g}"
        parts.append(f'<line x1="{start}" y1="{y:.0f}" x2="{start + width:.0f}" y2="{y:.0f}" stroke="#dddddd"/>')
        parts.append(f'<text x="{x - 8:.0f}" y="{y + 4:.0f}" font-size="11" text-anchor="end">{text}</text>')
    for length in lengths:
        x, y = place(length, 0)
        parts.append(f'<text x="{x:.0f}" y="{y + 18:.0f}" font-size="11" text-anchor="middle">{length:,}</text>')
    for number, line in enumerate(known.values()):
        path = " ".join("{:.1f},{:.1f}".format(*place(*point)) for point in line)
        color = COLORS[number % len(COLORS)]
        parts.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>')
    return parts
