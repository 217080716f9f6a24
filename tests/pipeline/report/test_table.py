"""The table and the card say what the report says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from attar.pipeline.evaluation import TokenScores, judge
from attar.pipeline.report import Report, model_card, results_table
from attar.pipeline.report.verdict import baseline_warning
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


def baseline(student: int, teacher: int, fine_tuned: int) -> dict[str, object]:
    """Of two hundred questions, how many each answers right, the same ones first."""
    right = {name: [True] * n + [False] * (200 - n) for name, n in (("s", student), ("t", teacher), ("b", fine_tuned))}
    kinds = ["lookup"] * 100 + ["count"] * 100
    return {
        "verdict": judge(right["s"], right["b"], kinds).to_dict(),
        "teacher": judge(right["t"], right["b"], kinds).to_dict(),
        "steps": 1280,
        "learning_rate": 2e-3,
        "seconds": {"student": 612.3, "baseline": 401.9},
    }


def test_the_student_is_judged_against_plain_fine_tuning_with_its_budget() -> None:
    table = results_table(replace(REPORT, baseline=baseline(180, 190, 150)))
    assert "**BEATS**: the student is better than plain fine-tuning of the same body. Difference" in table
    assert "Both took 1,280 optimizer steps on the same batches, the baseline's at a peak rate of 0.002" in table
    assert "612 s, the baseline's 402 s" in table
    assert "| kind, exact match (95 % interval) | fine-tuned baseline | student | difference |" in table
    assert "| count | 50.0% (40.4 to 59.6) | 80.0% (71.1 to 86.7) | +30.0 (" in table


@pytest.mark.parametrize(
    ("teacher", "steps", "says"),
    [
        (190, 60, None),
        (150, 60, "is not better than plain fine-tuning of the same body (exact match 75.0% against 75.0%"),
        (140, 60, "correct it longer (distillation.correction.steps, now 60)"),
        (151, 60, "can't be told to be better than"),
        (150, 0, "correct it first (distillation.correction.steps, now 0)"),
    ],
)
def test_a_teacher_that_is_not_clearly_better_than_the_baseline_is_warned_of(
    teacher: int, steps: int, says: str | None
) -> None:
    warning = baseline_warning(baseline(150, teacher, 150), steps)
    assert (warning is None) if says is None else (warning is not None and says in warning)
    if warning:
        assert f"**Warning.** {warning}" in results_table(replace(REPORT, warnings=[warning]))


def test_the_torch_models_are_shown_token_by_token_and_explained_in_the_card() -> None:
    tokens: dict[str, dict[str, float | None]] = {
        "corrected_teacher": TokenScores(0.1234, 0.987, 0.0123, 999).to_dict(),
        "student": TokenScores(0.2, 1.5, 0.02, 999, agreement=0.975, divergence=0.0456, unknown=0.001).to_dict(),
    }
    report = replace(REPORT, tokens=tokens)
    table = results_table(report)
    assert "| corrected teacher | 0.123 | 0.99 | 1.2% |  |  |" in table
    assert "| student | 0.200 | 1.50 | 2.0% | 97.5% | 0.046 |" in table
    assert "expected calibration error" in model_card(MANIFEST, report)
    assert "expected calibration error" not in model_card(MANIFEST, REPORT)
