"""A stage's product is kept under the hash of what went in, and only when it is whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from attar.pipeline.stages import Stages


def work(text: str) -> Any:
    def fill(folder: Path) -> dict[str, Any]:
        (folder / "f").write_text(text)
        return {"length": len(text)}

    return fill


def test_the_same_inputs_are_not_worked_on_again(tmp_path: Path) -> None:
    first = Stages(tmp_path).make("data", {"seed": 1}, work("one"))
    again = Stages(tmp_path).make("data", {"seed": 1}, work("two"))
    assert (first.cached, again.cached) == (False, True)
    assert (again.path / "f").read_text() == "one"
    assert again.facts == {"length": 3}
    assert again.key == first.key


def test_other_inputs_replace_the_product(tmp_path: Path) -> None:
    stages = Stages(tmp_path)
    stages.make("data", {"seed": 1}, work("one"))
    other = stages.make("data", {"seed": 2}, work("two"))
    assert not other.cached
    assert (other.path / "f").read_text() == "two"


def test_a_stage_that_fails_leaves_the_older_product(tmp_path: Path) -> None:
    stages = Stages(tmp_path)
    stages.make("data", {"seed": 1}, work("one"))

    def fail(folder: Path) -> dict[str, Any]:
        (folder / "f").write_text("half")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        stages.make("data", {"seed": 2}, fail)
    assert Stages(tmp_path).make("data", {"seed": 1}, fail).cached


def test_a_product_whose_marker_is_broken_is_not_trusted(tmp_path: Path) -> None:
    stages = Stages(tmp_path)
    product = stages.make("data", {"seed": 1}, work("one"))
    (product.path / "stage.json").write_text("{")
    assert not stages.make("data", {"seed": 1}, work("two")).cached


def test_a_forgotten_product_is_made_anew(tmp_path: Path) -> None:
    stages = Stages(tmp_path)
    stages.make("data", {"seed": 1}, work("one"))
    stages.forget("data")
    assert not stages.make("data", {"seed": 1}, work("two")).cached
