"""The table and the card say what the report says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from attar.pipeline.evaluation import judge
from attar.pipeline.report import Report, model_card, results_table
from attar.runtime.bundle import Architecture, Manifest

COST = {"size_bytes": 500e6, "peak_memory_bytes": 900e6, "first_token_seconds": 0.2, "decode_tokens_per_second": 25.0}
REPORT = Report(
    run=Path("runs/demo"),
    bundle=Path("runs/demo/bundle"),
    seconds={},
    cached=[],
    scores={"teacher": {"exact_match": 0.0, "value_match": 0.5, "n": 512}},
    costs={
        "teacher": COST,
        "bundle": COST | {"size_bytes": 100e6, "decode_tokens_per_second": 150.0},
    },
    ratios={"parameters": 0.605, "size": 5.0, "decode": 6.0, "memory": 1.0, "first_token": 1.0},
    intervals={"size": (5.0, 5.0), "decode": (5.71, 6.32)},
)
MANIFEST = Manifest(
    files={},
    architecture=Architecture("llama", 15, 3, 64, 49152, 8192, 81_400_000),
    quantization="int8",
    lineage={"teacher": "pkg:x", "teacher_parameters": 134_500_000, "samples": {"train": 12000, "test": 512}},
    licenses={"teacher": "Apache-2.0", "data": {"city": "CC0-1.0"}},
    parity={
        "fast": {
            "largest_logit_difference": 1e-4,
            "p99_logit_difference": 5e-5,
            "divergence": 2e-9,
            "agreement": 0.9912,
            "agreement_low": 0.9876,
            "agreement_high": 0.9938,
            "greedy_equal": 1.0,
            "tokens": 5012,
            "score": 0.945,
            "reference_score": 0.949,
        }
    },
)
RUNG = "| fast | 5,012 | 99.12% (98.76% to 99.38%) | 2e-09 | 5e-05 | 0.0001 | 94.5% | 94.9% | 100.0% |"


def test_the_table_has_a_row_for_each_variant_and_each_cost() -> None:
    table = results_table(REPORT)
    assert "| teacher as it came | 0.0% | 50.0% | 512 |" in table
    assert "| size, MB | 500 | 100 | 5.0 |" in table
    assert "| decode, tokens/s | 25 | 150 | 6.0 (5.7 to 6.3) |" in table
    assert "| first token, ms | 200 | 200 | 1.0 |" in table
    assert "60.5% of the teacher's parameters" in table


def test_the_card_names_lineage_parity_and_licenses() -> None:
    card = model_card(MANIFEST, REPORT)
    for text in ("# demo", "81.4M", "pkg:x", "(134.5M)", RUNG, "- city: CC0-1.0"):
        assert text in card
    assert results_table(REPORT) in card


def test_the_verdict_is_said_with_its_kinds_and_the_weak_ones() -> None:
    ours = [True] * 90 + [False] * 10 + [True] * 60 + [False] * 40
    verdict = judge(ours, [True] * 200, ["lookup"] * 100 + ["summary"] * 100).to_dict()
    shares = {"kept": 0.9, "invented": 0.05, "n": 100}
    verdict["kinds"]["summary"]["facts"] = {"quantized": shares, "corrected_teacher": shares | {"kept": 1.0}}
    table = results_table(replace(REPORT, verdict=verdict))
    assert "**LOSES**: the student in the bundle is worse than the corrected teacher" in table
    assert "-25.0 points" in table
    assert "0 and 50 times of 200" in table
    assert "| lookup | 100.0% (96.3 to 100.0) | 90.0% (82.6 to 94.5) | -10.0 (" in table
    assert "| summary | 100.0% / 5.0% | 90.0% / 5.0% |" in table
    assert "Below 80 % of the corrected teacher's exact match: summary." in table
    assert table in model_card(MANIFEST, replace(REPORT, verdict=verdict))


def test_one_kind_needs_no_table_of_kinds() -> None:
    verdict = judge([True] * 50, [True] * 50, ["lookup"] * 50).to_dict()
    table = results_table(replace(REPORT, verdict=verdict))
    assert "**HOLDS**" in table
    assert "| lookup |" not in table
