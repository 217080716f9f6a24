"""A stage's product is kept under the hash of what went in, and only when it is whole."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from attar.pipeline.stages import Stage, Stages, Work
from attar.runtime.errors import OutOfSpace

MODULE = "attar.pipeline.stages.code"


def writes(text: str) -> Callable[[Work], dict[str, Any]]:
    def fill(work: Work) -> dict[str, Any]:
        (work.folder / "f").write_text(text)
        return {"length": len(text)}

    return fill


def one(root: Path, seed: int, work: Callable[[Work], dict[str, Any]]) -> Stages:
    return Stages(root, [Stage("data", MODULE, {"seed": seed}, work)])


def test_the_same_inputs_are_not_worked_on_again(tmp_path: Path) -> None:
    first = one(tmp_path, 1, writes("one")).make("data")
    again = one(tmp_path, 1, writes("two")).make("data")
    assert (first.cached, again.cached) == (False, True)
    assert (again.path / "f").read_text() == "one"
    assert again.facts == {"length": 3}
    assert (again.key, again.files) == (first.key, first.files)


def test_a_stage_tells_the_most_memory_that_it_held(tmp_path: Path) -> None:
    def hold(work: Work) -> dict[str, Any]:
        (work.folder / "f").write_bytes((b"1" * (64 << 20))[:1])
        return {}

    stages = Stages(tmp_path, [Stage("data", MODULE, {}, hold), Stage("card", MODULE, {}, writes("one"))])
    large, small = stages.make("data"), stages.make("card")
    assert large.peak_memory - small.peak_memory > 48 << 20
    again = one(tmp_path, 1, writes("one")).make("data"), one(tmp_path, 1, writes("two")).make("data")
    assert again[1].cached and again[0].peak_memory == again[1].peak_memory > 0


def test_other_inputs_replace_the_product(tmp_path: Path) -> None:
    one(tmp_path, 1, writes("one")).make("data")
    other = one(tmp_path, 2, writes("two")).make("data")
    assert not other.cached
    assert (other.path / "f").read_text() == "two"


def test_keys_are_known_before_anything_runs_and_hang_on_those_before(tmp_path: Path) -> None:
    def keys(seed: int) -> dict[str, str]:
        first = Stage("data", MODULE, {"seed": seed}, writes("one"))
        return Stages(tmp_path, [first, Stage("teacher", MODULE, {}, writes("two"), needs=("data",))]).keys

    assert keys(1) == keys(1)
    assert keys(1)["teacher"] != keys(2)["teacher"]
    assert not any(tmp_path.iterdir())


def test_a_stage_reads_the_products_that_it_needs(tmp_path: Path) -> None:
    def double(work: Work) -> dict[str, Any]:
        return {"length": 2 * work.products["data"].facts["length"]}

    first = Stage("data", MODULE, {}, writes("one"))
    stages = Stages(tmp_path, [first, Stage("teacher", MODULE, {}, double, needs=("data",))])
    stages.make("data")
    assert stages.make("teacher").facts == {"length": 6}


def test_a_stage_that_fails_leaves_the_older_product(tmp_path: Path) -> None:
    one(tmp_path, 1, writes("one")).make("data")

    def fail(work: Work) -> dict[str, Any]:
        (work.folder / "f").write_text("half")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        one(tmp_path, 2, fail).make("data")
    assert one(tmp_path, 1, fail).make("data").cached


@pytest.mark.parametrize("harm", ["marker", "missing", "shorter"])
def test_a_product_that_is_not_whole_is_not_trusted(tmp_path: Path, harm: str) -> None:
    product = one(tmp_path, 1, writes("one")).make("data")
    if harm == "missing":
        (product.path / "f").unlink()
    else:
        (product.path / {"marker": "stage.json", "shorter": "f"}[harm]).write_text("{")
    assert not one(tmp_path, 1, writes("two")).make("data").cached


def test_a_forgotten_product_is_made_anew(tmp_path: Path) -> None:
    stages = one(tmp_path, 1, writes("one"))
    stages.make("data")
    stages.forget("data")
    assert not stages.make("data").cached


def test_unfinished_work_is_there_for_the_next_attempt_and_gone_after_it(tmp_path: Path) -> None:
    made = []

    def fails_once(work: Work) -> dict[str, Any]:
        work.checkpoints.remember("dear result", lambda: made.append(1) or {"value": 7})
        if len(list(tmp_path.glob("again"))) == 0:
            raise RuntimeError
        return work.checkpoints.remember("dear result", dict)

    with pytest.raises(RuntimeError):
        one(tmp_path, 1, fails_once).make("data")
    (tmp_path / "again").touch()
    assert one(tmp_path, 1, fails_once).make("data").facts == {"value": 7}
    assert made == [1]
    assert not list(tmp_path.glob(".unfinished/*"))


def test_a_sweep_removes_what_was_half_written_and_unfinished_work_of_other_settings(tmp_path: Path) -> None:
    def fail(work: Work) -> dict[str, Any]:
        work.checkpoints.remember("result", lambda: {"value": 7})
        raise RuntimeError

    for seed in (1, 2):
        with pytest.raises(RuntimeError):
            one(tmp_path, seed, fail).make("data")
    (tmp_path / ".data.x1.part").mkdir()
    one(tmp_path, 2, fail).sweep()
    assert not (tmp_path / ".data.x1.part").exists()
    assert len(list(tmp_path.glob(".unfinished/*"))) == 1


def test_a_full_disk_says_how_to_go_on(tmp_path: Path) -> None:
    def fill(work: Work) -> dict[str, Any]:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(work.folder / "f"))

    with pytest.raises(OutOfSpace, match="no room") as caught:
        one(tmp_path, 1, fill).make("data")
    assert "goes on where it stopped" in str(caught.value)
    assert caught.value.exit_code == 1
