"""Costs of real variants, side by side, doing the same."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from attar.pipeline.measurement import Variant, measure_costs
from attar.runtime.errors import CheckFailed, UsageError
from tests.conftest import ROOT

PROMPT = [1, 90, 91, 2]
OWN = "tests.pipeline.measurement.subjects:"


def test_both_kinds_are_measured_on_the_same_tokens(teacher_folder: Path, bundle_folder: Path) -> None:
    variants = {"bundle": Variant("bundle", bundle_folder), "teacher": Variant("torch", teacher_folder)}
    found = measure_costs(variants, PROMPT, tokens=12, threads=1, rounds=2, pairs=6)
    for cost in found.variants.values():
        figures = cost.to_dict()
        assert 0 <= figures.pop("answer_growth_bytes") < cost.peak_memory_bytes
        assert figures.pop("peak_is_exact") in (True, False)  # as the kernel lets us
        assert all(value > 0 for value in figures.values())
    assert set(found.ratios) == {"size", "load", "memory", "first_token", "decode", "forced"}
    assert all(ratio.low <= ratio.ratio <= ratio.high for ratio in found.ratios.values())
    assert found.ratios["memory"].low > 1  # no torch in it
    assert [found.ratios[name].pairs for name in ("load", "first_token", "decode")] == [2, 12, 6]


def test_the_bundle_alone_has_no_ratios(bundle_folder: Path) -> None:
    found = measure_costs({"bundle": Variant("bundle", bundle_folder)}, PROMPT, tokens=8, threads=1, rounds=1, pairs=2)
    assert set(found.to_dict()["variants"]) == {"bundle"}
    assert found.ratios == {}


def test_a_ratio_says_how_many_times_better_the_first_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    variants = {"fast": Variant(f"{OWN}Slow", "0.002"), "slow": Variant(f"{OWN}Slow", "0.03")}
    found = measure_costs(variants, PROMPT, tokens=3, threads=1, rounds=1, pairs=4)
    assert found.ratios["decode"].low > 1
    assert found.ratios["size"].to_dict() == {"ratio": 1.0, "low": 1.0, "high": 1.0, "pairs": 1}  # of whole files
    assert found.variants["slow"].forced_tokens_per_second < 1 / 0.03


def test_variants_that_did_not_do_the_same_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    variants = {"fair": Variant(f"{OWN}Plain", ""), "unfair": Variant(f"{OWN}Greedy", "")}
    with pytest.raises(CheckFailed, match="'fair' and 'unfair' did not do the same") as caught:
        measure_costs(variants, PROMPT, tokens=3, threads=1, rounds=1, pairs=2)
    assert caught.value.why == "threads: 1 and 2."


def test_a_variant_that_fails_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckFailed, match="'broken' failed"):
        measure_costs({"broken": Variant("bundle", tmp_path)}, [1], tokens=8, threads=1, rounds=1, pairs=2)


def test_three_variants_are_too_many() -> None:
    with pytest.raises(UsageError, match="one variant or two"):
        measure_costs(dict.fromkeys("abc", Variant("bundle", "")), [1], tokens=8, threads=1, rounds=1, pairs=2)
