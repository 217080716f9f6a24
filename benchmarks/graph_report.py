"""Table and plot of what benchmarks/graph.py found. Does not know how it was measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["plot", "table"]

ALLOWED_LOSS = 0.02
WIDTH, HEIGHT, MARGIN = 720, 400, 60
COLORS = ("#1b6ca8", "#d1495b", "#3c896d", "#edae49", "#6a4c93", "#333333", "#8d99ae", "#f4845f", "#00798c", "#9a031e")


def table(results: Mapping[str, Any]) -> str:
    """Markdown: settings, figures, the goals, contexts."""
    found = results["found"]
    lines = ["# The fast graph, its forms and its peers", ""]
    lines += [f"- {name}: {value}" for name, value in results["settings"].items()]
    lines += [
        "",
        "| | MB | exact | decode tok/s | prefill tok/s | question ms | 8 at once tok/s |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, each in found.items():
        exact = "" if each["exact_match"] is None else f"{each['exact_match']:.1%}"
        eight = "" if each["eight_at_once"] is None else f"{each['eight_at_once']:.0f} ({each['eight_over_one']:.2f}x)"
        lines.append(
            f"| {name} | {each['size'] / 1e6:.1f} | {exact} | {each['decode']:.1f} | {each['prefill']:.0f} "
            f"| {1000 * each['question_seconds']:.1f} | {eight} |"
        )
    return "\n".join([*lines, "", *goals(results), "", *contexts(found), ""])


def goals(results: Mapping[str, Any]) -> list[str]:
    """What issue 6 asks for, and what was found, with the form that was taken."""
    found, amx = results["found"], results["settings"]["amx"]
    ours = {name: each for name, each in found.items() if name.startswith("attar ") and passes(each, found)}
    teacher, optimum = found.get("teacher, torch fp32"), found.get("Optimum ORTModelForCausalLM fp32")
    genai, llama = found.get("onnxruntime-genai int4"), found.get("llama.cpp Q4_0")
    if not ours:
        return []
    lines = ["| measure | against | form | found | wanted |", "|---|---|---|---|---|"]

    def add(
        what: str, against: str, other: Mapping[str, Any] | None, figure: Figure, wanted: str, only: str = ""
    ) -> None:
        taken = {name: each for name, each in ours.items() if name.startswith(f"attar {only}")} or ours
        best = max(taken, key=lambda name: figure(taken[name]))
        times = "not measured" if other is None else f"{figure(taken[best]) / figure(other):.2f}x"
        lines.append(f"| {what} | {against} | {best} | {times} | {wanted} |")

    add("decode", "torch fp32 teacher", teacher, decode, "15x")
    add("decode", "Optimum fp32", optimum, decode, "4x")
    add("decode", "genai int4", genai, decode, "1x", "int4")
    add("decode", "llama.cpp 4-bit", llama, decode, "1.3x", "int4")
    better = max((each for each in (genai, llama) if each), key=prefill, default=None)
    add("prefill", "the better of genai and llama.cpp", better, prefill, "4x" if amx else "the figure")
    add("question", "torch fp32 teacher", teacher, question, "15x")
    add("question", "genai int4", genai, question, "1.7x" if amx else "1.1x")
    eight = max(ours, key=lambda name: ours[name]["eight_over_one"])
    lines.append(f"| decode, 8 at once | the same at 1 | {eight} | {ours[eight]['eight_over_one']:.2f}x | 3x |")
    add("files", "teacher's fp32 weights", teacher, lambda each: 1 / each["size"], "12x")
    return lines


Figure = Callable[[Mapping[str, Any]], float]


def decode(each: Mapping[str, Any]) -> float:
    """Tokens a second."""
    return float(each["decode"])


def prefill(each: Mapping[str, Any]) -> float:
    """Tokens a second."""
    return float(each["prefill"])


def question(each: Mapping[str, Any]) -> float:
    """Questions a second."""
    return 1 / float(each["question_seconds"])


def passes(each: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Whether a form loses at most two points against fp32, where it was scored."""
    exact = found.get("attar none", {}).get("exact_match")
    return exact is None or bool(each["exact_match"] >= exact - ALLOWED_LOSS - 1e-9)


def contexts(found: Mapping[str, Any]) -> list[str]:
    """Time per token and memory by tokens of context."""
    lengths = sorted({int(length) for each in found.values() for length in each["contexts"]})
    head = "".join(f" ms a token at {length} | MB |" for length in lengths)
    lines = [f"| context |{head}", "|---" * (2 * len(lengths) + 1) + "|"]
    for name, each in found.items():
        at = {int(length): value for length, value in each["contexts"].items()}
        cells = "".join(
            f" {1000 * at[length]['seconds_per_token']:.2f} | {at[length]['resident'] / 1e6:.0f} |"
            if length in at
            else " | |"
            for length in lengths
        )
        if at:
            lines.append(f"| {name} |{cells}")
    return lines


def plot(results: Mapping[str, Any]) -> str:
    """Milliseconds a token over tokens of context, as SVG."""
    import math

    series = {name: each["contexts"] for name, each in results["found"].items() if each["contexts"]}
    points = {
        name: sorted((int(length), 1000 * value["seconds_per_token"]) for length, value in known.items())
        for name, known in series.items()
    }
    longest = max(length for known in points.values() for length, _ in known)
    slowest = max(value for known in points.values() for _, value in known) * 1.05

    def place(length: float, value: float) -> tuple[float, float]:
        x = MARGIN + (WIDTH - MARGIN - 230) * (math.log2(length) - 6) / max(math.log2(longest) - 6, 1)
        return x, HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * value / slowest

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{MARGIN}" y="30" font-size="15">Milliseconds a token by tokens of context</text>',
    ]
    for length in sorted({length for known in points.values() for length, _ in known}):
        x, y = place(length, 0)
        parts.append(f'<text x="{x:.0f}" y="{y + 18:.0f}" font-size="11" text-anchor="middle">{length}</text>')
    for step in range(5):
        value = slowest * step / 4
        x, y = place(64, value)
        parts.append(f'<line x1="{MARGIN}" y1="{y:.0f}" x2="{WIDTH - 230}" y2="{y:.0f}" stroke="#dddddd"/>')
        parts.append(f'<text x="{x - 8:.0f}" y="{y + 4:.0f}" font-size="11" text-anchor="end">{value:.1f}</text>')
    for number, (name, known) in enumerate(points.items()):
        color = COLORS[number % len(COLORS)]
        line = " ".join("{:.1f},{:.1f}".format(*place(*point)) for point in known)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="2"/>')
        y = MARGIN + 20 * number
        parts.append(f'<text x="{WIDTH - 220}" y="{y}" font-size="12" fill="{color}">{name}</text>')
    return "\n".join([*parts, "</svg>", ""])
