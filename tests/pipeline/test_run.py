"""The whole path on a tiny teacher: every stage, its cache, its report, its bundle."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from attar.pipeline import load_config
from attar.pipeline.export.layouts import is_rounded
from attar.pipeline.run import run, stages_of
from attar.pipeline.teacher import load_model
from attar.runtime import AgenticWorkflow, Bundle, ChatOnnx
from attar.runtime.cli import main
from attar.runtime.errors import DataError
from attar.runtime.files import locked, sha256_file
from tests.tiny import as_if_measured

FIRST = "first-run.json"
STAGES = ["data", "teacher", "student", "finish", "export", "baseline", "measurement", "card"]


@pytest.fixture(scope="module")
def recipe(teacher_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.conftest import CITIES

    folder = tmp_path_factory.mktemp("run")
    (folder / "cities.csv").write_text(CITIES, encoding="utf-8")
    config = {
        "name": "tiny",
        "data": {
            "tables": [{"path": "cities.csv", "label": "city", "license": "CC0-1.0"}],
            "records_per_table": 12,
            "test_share": 0.5,
            "test_questions": 6,
        },
        "distillation": {
            "teacher_model_name": str(teacher_folder),
            "teacher_license": "Apache-2.0",
            "correction": {"steps": 2},
            "alignment_steps": 2,
            "steps": 6,
            "batch_tokens": 512,
            "checkpoint_seconds": 0,
        },
        "finish": {"steps": 3},
        "export": {"quantize": "int8", "min_agreement": 0.2},
        "measurement": {
            "repetitions": 1,
            "decode_tokens": 8,
            "max_new_tokens": 8,
            "threads": 1,
            "baseline_learning_rate": 1e-3,
        },
    }
    path = folder / "tiny.json"
    path.write_text(json.dumps(config))
    return path


def call(*arguments: str | Path) -> dict[str, Any]:
    done = CliRunner().invoke(main, [*map(str, arguments), "--json"])
    assert done.exit_code == 0, done.output
    value: dict[str, Any] = json.loads(done.stdout)
    return value


@pytest.fixture(scope="module")
def report(recipe: Path) -> dict[str, Any]:
    found = call("run", recipe, "--runs", recipe.parent / "runs")
    shutil.copyfile(recipe.parent / "runs/tiny/run.json", recipe.parent / FIRST)  # later tests change the run
    return found


def test_the_report_has_every_figure(report: dict[str, Any], recipe: Path) -> None:
    assert report["run"] == str(recipe.parent / "runs" / "tiny")
    assert set(report["scores"]) == {"teacher", "corrected_teacher", "student", "baseline", "quantized"}
    assert all(set(s) == {"exact_match", "value_match", "n"} and s["n"] == 6 for s in report["scores"].values())
    assert {"parameters", "size", "decode", "memory"} <= set(report["ratios"])
    assert 0 < report["ratios"]["parameters"] < 1
    assert set(report["seconds"]) == {"total", *STAGES}
    assert set(report["peak_memory"]) == set(STAGES) and all(report["peak_memory"].values())
    assert report["cached"] == []
    assert report["verdict"]["word"] in ("BEATS", "HOLDS", "LOSES", "INCONCLUSIVE")
    assert report["verdict"]["ours"]["value"] == report["scores"]["quantized"]["exact_match"]
    assert report["verdict"]["theirs"]["value"] == report["scores"]["corrected_teacher"]["exact_match"]
    assert set(report["verdict"]["kinds"]) == {"lookup"}


def test_the_student_is_judged_against_plain_fine_tuning_of_its_body(report: dict[str, Any], recipe: Path) -> None:
    baseline, scores = report["baseline"], report["scores"]
    assert baseline["verdict"]["ours"]["value"] == scores["student"]["exact_match"]
    assert baseline["verdict"]["theirs"]["value"] == scores["baseline"]["exact_match"]
    assert baseline["teacher"]["ours"]["value"] == scores["corrected_teacher"]["exact_match"]
    assert (baseline["steps"], baseline["learning_rate"]) == (8, 1e-3)
    assert baseline["seconds"] == {name: report["seconds"][name] for name in ("student", "baseline")}
    models = recipe.parent / "runs/tiny/stages"
    student, fine_tuned = (models / name / "model/model.safetensors" for name in ("student", "baseline"))
    assert student.stat().st_size == fine_tuned.stat().st_size
    assert sha256_file(student) != sha256_file(fine_tuned)


def test_the_student_is_exported_as_its_finish_left_it(report: dict[str, Any], recipe: Path) -> None:
    models = recipe.parent / "runs/tiny/stages"
    before, after = (load_model(str(models / name / "model")).model for name in ("student", "finish"))
    assert is_rounded(after, "int8") and not is_rounded(before, "int8")
    manifest = Bundle.open(report["bundle"]).manifest
    assert (manifest.lineage["finish"]["form"], manifest.lineage["finish"]["steps"]) == ("int8", 3)
    assert "last 3 steps saw the weights as int8 rounds them" in (Path(report["bundle"]) / "README.md").read_text()


@pytest.mark.parametrize("asked", ["finish.teacher=teacher", "finish.rehearsal=2"])
def test_the_corrected_teacher_can_teach_the_finish_and_say_what_is_rehearsed(
    report: dict[str, Any], recipe: Path, asked: str
) -> None:
    runs = recipe.parent / "runs"
    weights = runs / "tiny/stages/finish/model/model.safetensors"
    by_itself = sha256_file(weights)
    stages = stages_of(load_config(recipe, [asked]), runs)
    assert all(stages.make(name).cached for name in ("data", "teacher", "student"))
    assert not stages.make("finish").cached
    assert is_rounded(load_model(str(weights.parent)).model, "int8")
    assert sha256_file(weights) != by_itself
    run(load_config(recipe), runs)
    assert sha256_file(weights) == by_itself


def test_the_bundle_holds_the_config_but_not_where_things_lay(report: dict[str, Any], recipe: Path) -> None:
    manifest = Path(report["bundle"]) / "attar.json"
    assert Bundle.open(manifest.parent).manifest.lineage["config"]["distillation"]["steps"] == 6
    assert str(recipe.parent) not in manifest.read_text()


def test_what_the_form_cost_is_judged_against_the_student_before_it(report: dict[str, Any]) -> None:
    rounding, scores = report["rounding"], report["scores"]
    assert rounding["ours"]["value"] == scores["quantized"]["exact_match"]
    assert rounding["theirs"]["value"] == scores["student"]["exact_match"]
    assert "changed the fp32 student's exact match by" in (Path(report["bundle"]) / "README.md").read_text()


def test_without_a_finish_the_student_is_exported_as_it_is(report: dict[str, Any], recipe: Path) -> None:
    runs = recipe.parent / "runs"
    found = run(load_config(recipe, ["finish.steps=0", "measurement.baseline=false"]), runs)
    assert found.cached == ["data", "teacher", "student"]
    assert Bundle.open(found.bundle).manifest.lineage["finish"] is None
    run(load_config(recipe), runs)


def test_a_bundle_of_two_forms_tells_of_both_in_its_card(report: dict[str, Any], recipe: Path) -> None:
    uses = ["export.quantize=auto", 'export.wanted=["latency", "throughput"]', "export.max_score_loss=1"]
    with as_if_measured("int8", "mixed"):
        found = run(
            load_config(recipe, ["finish.steps=0", "measurement.baseline=false", *uses]), recipe.parent / "runs"
        )
    bundle = Bundle.open(found.bundle, use="throughput")
    assert [form.quantization for form in bundle.forms] == ["int8", "mixed"]
    card = (bundle.path / "README.md").read_text()
    assert "weights int8 for latency and mixed for throughput" in card
    assert "| mixed | throughput |" in card
    answer = AgenticWorkflow(ChatOnnx(bundle=bundle.path, use="throughput")).run(query="What is the country of Ghent?")
    assert answer["context"]["record"].startswith("city:Ghent")
    run(load_config(recipe), recipe.parent / "runs")


def test_every_torch_model_is_scored_token_by_token(report: dict[str, Any]) -> None:
    teacher, *students = (report["tokens"][name] for name in ("corrected_teacher", "student", "baseline"))
    assert teacher["loss"] > 0 and teacher["agreement"] is None
    for found in students:
        assert found["tokens"] == teacher["tokens"] > 0
        assert 0 <= found["agreement"] <= 1 and found["divergence"] > 0


def test_a_teacher_that_has_little_to_teach_is_warned_of(report: dict[str, Any]) -> None:
    """A random teacher of a few steps is no better than a random student."""
    (warning,) = report["warnings"]
    assert "distillation.correction.steps, now 2" in warning
    assert warning in (Path(report["bundle"]) / "README.md").read_text()


def test_the_plot_stands_beside_the_card(report: dict[str, Any]) -> None:
    bundle = Bundle.open(report["bundle"])
    assert "exact_match.svg" in bundle.manifest.files
    assert "](exact_match.svg)" in (bundle.path / "README.md").read_text()
    assert "fine-tuned baseline" in (bundle.path / "exact_match.svg").read_text()


def test_the_finish_keeps_to_the_student_as_it_was_whatever_taught_that(report: dict[str, Any], recipe: Path) -> None:
    runs, answers = recipe.parent / "runs", ["distillation.alpha=0", "distillation.alignment=0"]
    losses = []
    for alpha in (1.0, 0.0):
        stages = stages_of(load_config(recipe, [*answers, f"finish.alpha={alpha}", "finish.alignment=0"]), runs)
        for name in ("data", "teacher", "student", "finish"):
            product = stages.make(name)
        losses.append(product.facts["first_loss"])
    followed, answered = losses
    assert followed < 0.1 < answered
    run(load_config(recipe), runs)


def test_without_a_baseline_there_is_none_and_nothing_is_trained_again(report: dict[str, Any], recipe: Path) -> None:
    found = run(load_config(recipe, ["measurement.baseline=false"]), recipe.parent / "runs")
    assert found.cached == ["data", "teacher", "student", "finish", "export"]
    assert (found.baseline, found.warnings) == ({}, [])
    assert set(found.tokens) == {"corrected_teacher", "student"}
    assert "fine-tuning" not in (Path(found.bundle) / "README.md").read_text()
    assert run(load_config(recipe), recipe.parent / "runs").cached == STAGES[:-2]


def test_a_second_call_does_nothing_again(report: dict[str, Any], recipe: Path) -> None:
    again = call("run", recipe, "--runs", recipe.parent / "runs")
    assert again["cached"] == STAGES
    assert again["scores"] == report["scores"]
    assert again["seconds"]["total"] < 5


def test_a_bundle_that_was_removed_comes_back(report: dict[str, Any], recipe: Path) -> None:
    shutil.rmtree(report["bundle"])
    again = call("run", recipe, "--runs", recipe.parent / "runs")
    assert again["cached"] == STAGES[:-1]
    assert Bundle.open(report["bundle"]).manifest.scores == report["scores"]


def test_another_setting_redoes_what_depends_on_it(report: dict[str, Any], recipe: Path) -> None:
    config = load_config(recipe, ["distillation.steps=3"])
    assert run(config, recipe.parent / "runs").cached == ["data", "teacher"]


def test_a_student_of_a_given_size_goes_all_the_way(report: dict[str, Any], recipe: Path) -> None:
    found = run(load_config(recipe, ["distillation.student_size=0.8", "distillation.steps=3"]), recipe.parent / "runs")
    assert found.cached == ["data", "teacher"]
    assert 0.7 < found.ratios["parameters"] <= 0.8
    manifest = Bundle.open(found.bundle).manifest
    body, shape = manifest.lineage["body"], manifest.architecture
    assert (len(body["layers"]), body["tokens"]) == (shape.layers, shape.vocabulary_size)
    student, fine_tuned = (recipe.parent / f"runs/tiny/stages/{name}/model" for name in ("student", "baseline"))
    assert (student / "config.json").read_text() == (fine_tuned / "config.json").read_text()
    answer = AgenticWorkflow(found.bundle).run(query="What is the country of Ghent?")
    assert answer["context"]["record"].startswith("city:Ghent")


def test_the_bundle_tells_where_it_comes_from_and_answers(report: dict[str, Any], recipe: Path) -> None:
    manifest = Bundle.open(report["bundle"]).manifest
    assert manifest.licenses == {"teacher": "Apache-2.0", "data": {"city": "CC0-1.0"}}
    assert set(manifest.scores) == set(report["scores"])
    assert manifest.lineage["versions"]["torch"]
    assert len(manifest.lineage["sources"]["city"]) == 64
    card = (Path(report["bundle"]) / "README.md").read_text()
    assert "| corrected teacher |" in card
    assert f"**{report['verdict']['word']}**" in card
    assert "- city: CC0-1.0" in card
    result = AgenticWorkflow(report["bundle"]).run(query="What is the country of Ghent?")
    assert result["context"]["record"].startswith("city:Ghent\ncountry:Belgium")
    assert result["messages"][-1].text == result["results"]["answer"]


def test_another_license_is_written_without_training_again(report: dict[str, Any], recipe: Path) -> None:
    runs = recipe.parent / "runs"
    again = run(load_config(recipe, ["distillation.teacher_license=MIT"]), runs)
    assert "teacher" in again.cached
    final = run(load_config(recipe, ["distillation.teacher_license=BSD"]), runs)
    assert final.cached == ["data", "teacher", "student", "finish", "baseline"]
    assert Bundle.open(final.bundle).manifest.licenses["teacher"] == "BSD"


def test_a_missing_table_stops_the_run_with_its_exit_code(recipe: Path, tmp_path: Path) -> None:
    config = recipe.parent / "broken.json"
    config.write_text(recipe.read_text().replace("cities.csv", "nowhere.csv"))
    with pytest.raises(DataError, match="no such table"):
        run(load_config(config), tmp_path)
    done = CliRunner().invoke(main, ["run", str(config), "--runs", str(tmp_path)])
    assert done.exit_code == 4
    assert "no such table" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_interrupt_leaves_whole_products_only_and_the_next_call_goes_on(recipe: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from attar.runtime.cli import main; main()", "run", str(recipe)]
    options = ["--runs", str(tmp_path), "--set", "distillation.correction.steps=5000"]
    with subprocess.Popen([*command, *options], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("score teacher"):
                process.send_signal(signal.SIGINT)
                break
        rest = process.stderr.read()
    assert process.returncode == 130
    assert "what was finished is kept" in rest
    assert "Traceback" not in rest
    assert [path.name for path in (tmp_path / "tiny" / "stages").glob("[!.]*")] == ["data"]
    assert run(load_config(recipe), tmp_path).cached == ["data"]


def hashes(manifest: Path) -> dict[str, Any]:
    """What a run must come to, however often it died: all but timings."""
    stages = json.loads(manifest.read_text())["stages"]
    return {name: stages[name]["files"] for name in ("data", "teacher", "student", "finish", "export", "baseline")}


@pytest.mark.parametrize(
    "moment",
    [
        "teacher-*/correct-teacher",
        "student-*/align-layers",
        "student-*/distill",
        "finish-*/finish",
        "baseline-*/fine-tune-baseline",
    ],
)
def test_a_run_killed_in_mid_training_goes_on_to_the_same_hashes(
    report: dict[str, Any], recipe: Path, tmp_path: Path, moment: str
) -> None:
    command = [sys.executable, "-c", "from attar.runtime.cli import main; main()", "run", str(recipe)]
    with subprocess.Popen([*command, "--runs", str(tmp_path)], stderr=subprocess.DEVNULL) as process:
        while not list(tmp_path.glob(f"tiny/stages/.unfinished/{moment}.safetensors")):
            assert process.poll() is None
            time.sleep(0.002)
        process.kill()
    assert not (tmp_path / "tiny" / "run.json").exists()
    run(load_config(recipe), tmp_path)
    assert hashes(tmp_path / "tiny/run.json") == hashes(recipe.parent / FIRST)
    assert not list(tmp_path.rglob("*.part"))
    assert not list(tmp_path.glob("tiny/stages/.unfinished/*"))


def test_two_processes_do_not_work_on_one_run(report: dict[str, Any], recipe: Path) -> None:
    with locked(Path(report["run"])):
        done = CliRunner().invoke(main, ["run", str(recipe), "--runs", str(recipe.parent / "runs")])
    assert done.exit_code == 3
    assert "Another process" in done.stderr


def test_the_manifest_of_a_run_holds_what_would_make_it_again(report: dict[str, Any], recipe: Path) -> None:
    manifest = json.loads((recipe.parent / FIRST).read_text())
    assert manifest["config"]["distillation"]["steps"] == 6
    assert manifest["seeds"] == {"data.salt": "attar", "distillation.seed": 0}
    assert manifest["sources"] == {"city": sha256_file(recipe.parent / "cities.csv")}
    assert manifest["versions"]["torch"]
    assert manifest["machine"]["threads"] >= 1
    assert list(manifest["stages"]) == STAGES
    weights = manifest["stages"]["teacher"]["files"]["model/model.safetensors"]
    assert weights["sha256"] == sha256_file(Path(report["run"]) / "stages/teacher/model/model.safetensors")
