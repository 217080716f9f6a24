"""The plot beside the card: whole, escaped, in proportion, one bar for each model and kind."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from attar.pipeline.evaluation import judge
from attar.pipeline.report import kinds_plot
from attar.pipeline.report.plot import Bar, grouped_bars
from tests.pipeline.report.test_table import REPORT

SVG = "{http://www.w3.org/2000/svg}"
WILD = '<script>alert("x")</script> & "quoted"'
OURS = [True] * 90 + [False] * 10 + [True] * 60 + [False] * 40
KINDS = ["lookup"] * 100 + ["summary"] * 100
VERDICT = judge(OURS, [True] * 200, KINDS).to_dict()
BASELINE = {"verdict": judge(OURS, [True] * 100 + [False] * 100, KINDS).to_dict()}


def bars(svg: str) -> list[float]:
    return [
        float(bar.get("width", "")) for bar in ElementTree.fromstring(svg).iter(f"{SVG}rect") if bar.get("x") == "200"
    ]


def texts(svg: str) -> list[str]:
    return [text.text or "" for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_bars_are_in_proportion_and_whiskers_reach_the_intervals_ends() -> None:
    svg = grouped_bars("title", ["one", "two"], {"kind": [Bar(0.5, 0.4, 0.6), Bar(1.0, 0.9, 1.0)]})
    whole, half = max(bars(svg)), min(bars(svg))
    assert half == pytest.approx(whole / 2)
    whiskers = [path.get("d", "") for path in ElementTree.fromstring(svg).iter(f"{SVG}path")]
    assert whiskers[0].startswith(f"M{200 + 0.4 * whole:.1f} ")
    assert f"H{200 + 0.6 * whole:.1f}" in whiskers[0]
    assert {"50.0%", "100.0%"} <= set(texts(svg))


def test_names_are_text_and_a_place_may_stay_empty() -> None:
    svg = grouped_bars(WILD, [WILD], {WILD: [None]})
    assert bars(svg) == []
    assert WILD in texts(svg)
    assert "<script" not in svg and "http://www.w3.org" in svg
    assert svg.count("http") == 1  # the name of the format; nothing is asked for


def test_every_kind_has_a_bar_for_each_model_and_a_weak_kind_is_marked() -> None:
    svg = kinds_plot(replace(REPORT, verdict=VERDICT, baseline=BASELINE))
    assert len(bars(svg)) == 9
    assert {"all questions", "lookup", "corrected teacher", "student in the bundle", "fine-tuned baseline"} <= {
        *texts(svg),
        *(title.text for text in ElementTree.fromstring(svg).iter(f"{SVG}text") for title in text if title.text),
    }
    marked = [text for text in ElementTree.fromstring(svg).iter(f"{SVG}text") if text.get("class") == "weak"]
    assert [text[0].text for text in marked] == ["summary"]


def test_one_kind_is_all_questions_and_without_a_baseline_it_has_no_place() -> None:
    svg = kinds_plot(replace(REPORT, verdict=judge([True] * 9 + [False], [True] * 10, ["lookup"] * 10).to_dict()))
    assert len(bars(svg)) == 2
    assert "fine-tuned baseline" not in texts(svg)
