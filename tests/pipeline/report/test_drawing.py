"""Plots and pages: whole, escaped, and in need of nothing else."""

from __future__ import annotations

from xml.etree import ElementTree

from attar.pipeline.report.drawing import bars, columns, html_page, html_table

WILD = '<script>alert("x")</script> & "quoted" \u202e'


def test_bars_are_drawn_in_proportion_and_names_are_text() -> None:
    figure = ElementTree.fromstring(bars(WILD, [(WILD, 10), ("half", 5), ("none", 0)]))
    widths = [float(bar.get("width", "")) for bar in figure.iter("rect")]
    assert widths[1] == widths[0] / 2
    assert widths[2] == 0
    assert WILD in {text.text for text in figure.iter("title")}


def test_a_histogram_has_a_bar_a_bin_and_both_ends() -> None:
    figure = ElementTree.fromstring(columns("sizes", [1, 4, 0, 2], "0", "1,000"))
    heights = [float(bar.get("height", "")) for bar in figure.iter("rect")]
    assert (len(heights), heights[1], heights[2]) == (4, max(heights), 0)
    assert [text.text for text in figure.iter("text")] == ["0", "1,000"]


def test_nothing_at_all_can_be_drawn() -> None:
    for figure in (bars("empty", []), columns("empty", [], "", "")):
        assert not list(ElementTree.fromstring(figure).iter("rect"))
    assert html_table(["a"], []) == ""


def test_numbers_stand_at_the_right() -> None:
    table = ElementTree.fromstring(html_table(["name", "rows"], [(WILD, 1234567)]))
    cells = list(table.iter("td"))
    assert [cell.text for cell in cells] == [WILD, "1,234,567"]
    assert [cell.get("class") for cell in cells] == [None, "number"]


def test_a_page_runs_no_script_and_asks_for_nothing() -> None:
    page = html_page(WILD, [bars(WILD, [(WILD, 1)])])
    assert "<script" not in page
    assert "http://" not in page and "https://" not in page
    assert "default-src 'none'" in page
    assert "prefers-color-scheme: dark" in page
