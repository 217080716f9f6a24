"""The form that chooses itself: what fails the gate is never shipped, and every other is said why not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from attar.pipeline import export_model
from attar.pipeline.config import ExportConfig
from attar.pipeline.export.answer_gate import Trial, _refusal
from attar.pipeline.export.choosing import Candidate, best_of, choose
from attar.pipeline.export.fast import FORMS
from attar.pipeline.teacher import load_model
from attar.runtime.bundle import Bundle
from attar.runtime.engine import Engine
from attar.runtime.errors import UsageError
from attar.runtime.verification import require_within, verify

SMALL, FAST = Candidate("small", 10, 0.9, 0.9, None, 0.4, 50), Candidate("fast", 30, 0.9, 0.9, None, 0.1, 60)
MANY = Candidate("many", 20, 0.9, 0.9, None, 0.2, 90)
WRONG = Candidate("wrong", 1, 0.1, 0.1, None, 0.01, 900, refused="exact match 10.0%, 80.0 points below fp32")


@pytest.mark.parametrize(("wanted", "expected"), [("latency", FAST), ("throughput", MANY), ("size", SMALL)])
def test_the_best_for_what_is_wanted_is_taken_and_the_others_are_told_why_not(
    wanted: str, expected: Candidate, capfd: pytest.CaptureFixture[str]
) -> None:
    (chosen,) = choose([SMALL, FAST, MANY, WRONG], [wanted])
    best, why = best_of([SMALL, FAST, MANY, WRONG], wanted)
    assert (best, why) == (expected, chosen.rejected)
    assert why.keys() == {"small", "fast", "many", "wrong"} - {best.form}
    assert why["wrong"] == "exact match 10.0%, 80.0 points below fp32"
    said = capfd.readouterr().err
    assert all(f"not {form}: {reason}" in said for form, reason in why.items())


def test_each_use_gets_its_best_form_in_the_order_of_the_uses(capfd: pytest.CaptureFixture[str]) -> None:
    chosen = choose([SMALL, FAST, MANY, WRONG], ["throughput", "latency"])
    assert [(each.form, each.uses) for each in chosen] == [("many", ("throughput",)), ("fast", ("latency",))]
    assert chosen[0].rejected["fast"] == "0.67 times as much at once as many here"
    assert chosen[1].rejected["many"] == "0.50 times as fast as fast here"
    said = capfd.readouterr().err
    assert said.count("not wrong: exact match 10.0%, 80.0 points below fp32") == 1, "it is told once"
    assert said.count("export: not ") == 2 + 3


def test_a_form_that_is_the_best_for_two_uses_is_kept_once(capfd: pytest.CaptureFixture[str]) -> None:
    (chosen,) = choose([FAST, SMALL, WRONG], ["latency", "throughput"])
    assert (chosen.form, chosen.uses) == ("fast", ("latency", "throughput"))
    assert chosen.rejected == {
        "small": "0.25 times as fast as fast here; 0.83 times as much at once as fast here",
        "wrong": "exact match 10.0%, 80.0 points below fp32",
    }
    assert "fast is the best for latency and throughput, so it is kept once" in capfd.readouterr().err


def test_the_reason_counts_in_times_of_the_best() -> None:
    assert best_of([SMALL, FAST], "latency")[1] == {"small": "0.25 times as fast as fast here"}


@pytest.mark.parametrize(("score", "passes"), [(0.95, True), (0.93, True), (0.92, False), (0.0, False)])
def test_the_gate_is_the_score_where_there_is_one(score: float, passes: bool) -> None:
    exact = Candidate("none", 4, 1.0, exact_match=0.95)
    why = _refusal(Candidate("int4", 1, 0.5, exact_match=score), exact, ExportConfig(max_score_loss=0.02))
    assert (why is None) == passes
    assert passes or "points below fp32" in (why or "")


@pytest.mark.parametrize(("agreement", "passes"), [(0.99, True), (0.96, False), (float("nan"), False)])
def test_the_gate_is_agreement_where_there_is_no_score(agreement: float, passes: bool) -> None:
    why = _refusal(Candidate("int4", 1, agreement), Candidate("none", 4, 1.0), ExportConfig(min_agreement=0.97))
    assert (why is None) == passes


def test_a_form_is_chosen_told_of_and_verified(teacher_folder: Path, tmp_path: Path) -> None:
    config = ExportConfig(quantize="auto", wanted="size", min_agreement=0.5)
    bundle = export_model(teacher_folder, tmp_path / "b", config)
    choice, form = bundle.manifest.choice, bundle.manifest.quantization
    assert set(choice["candidates"]) == set(FORMS) == {*choice["rejected"], form}
    passing = {name: found["size"] for name, found in choice["candidates"].items() if found["refused"] is None}
    assert passing[form] == min(passing.values())
    assert choice["wanted"] == "size"
    assert choice["gate"] == {"min_agreement": 0.5}
    assert all(found["seconds"] > 0 and found["tokens_per_second"] > 0 for found in choice["candidates"].values())
    require_within(verify(bundle.path))
    assert list(tmp_path.iterdir()) == [bundle.path]


def test_forms_that_answer_otherwise_than_fp32_are_refused(teacher_folder: Path, tmp_path: Path) -> None:
    """What fp32 answers is what is right here, so that fp32 has all of it right and each difference costs."""
    loaded = load_model(str(teacher_folder))
    exact = export_model(teacher_folder, tmp_path / "exact", ExportConfig(quantize="none"))
    prompts = [[1, 60 + n, 90 + n, 2, 40 + 3 * n] for n in range(24)]
    engine = Engine(exact, threads=1)
    expected = [loaded.tokenizer.decode(list(engine.generate(prompt, max_new_tokens=24))) for prompt in prompts]
    trial = Trial(prompts, expected, loaded.tokenizer.decode, 24)
    config = ExportConfig(quantize="auto", min_agreement=1.0, max_score_loss=0.0)
    bundle = export_model(teacher_folder, tmp_path / "b", config, trial=trial)
    candidates = bundle.manifest.choice["candidates"]
    assert candidates["none"]["exact_match"] == 1.0
    assert candidates["int4-all"]["exact_match"] < 1.0
    for name, found in candidates.items():
        assert (found["refused"] is not None) == (found["exact_match"] < 1.0), name
    assert candidates[bundle.manifest.quantization]["refused"] is None
    assert "points below fp32" in bundle.manifest.choice["rejected"]["int4-all"]
    assert json.loads((bundle.path / "attar.json").read_text())["choice"]["gate"]["questions"] == 24


def test_optimums_graph_has_its_own_candidates(teacher_folder: Path, tmp_path: Path) -> None:
    config = ExportConfig(quantize="auto", graph="optimum", min_agreement=0.5)
    bundle = export_model(teacher_folder, tmp_path / "b", config)
    assert set(bundle.manifest.choice["candidates"]) == {"none", "int8", "int4"}
    assert Bundle.open(bundle.path).manifest.graph == "optimum"


def test_texts_to_round_by_change_4_bits_only(teacher_folder: Path, tmp_path: Path) -> None:
    texts = [[1, *range(70 + n, 100 + n), 2] for n in range(24)]
    for form, differ in (("int4", True), ("int8", False)):
        config = ExportConfig.model_validate({"quantize": form, "min_agreement": 0.3})
        hashes = [
            export_model(teacher_folder, tmp_path / form, config, texts=given).manifest.files["model.onnx.data"]
            for given in ((), texts)
        ]
        assert (hashes[0] != hashes[1]) == differ
    with pytest.raises(UsageError):
        export_model(teacher_folder, tmp_path / "x", ExportConfig(quantize="int4-all", graph="optimum"))
