"""``ModelDistiller``, used as the design says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from attar.pipeline import DistillationConfig, DistillationLoss, ModelDistiller, Sample, StructuredDataLoader
from attar.pipeline.teacher import load_model
from attar.runtime.errors import DataError, TokenizerMismatch, UsageError
from tests.tiny import tiny_llama


def config(teacher: Path, **settings: object) -> DistillationConfig:
    short = {"correction": {"steps": 3}, "alignment_steps": 3, "steps": 4, "batch_tokens": 512}
    return DistillationConfig.model_validate({"teacher_model_name": str(teacher), **short, **settings})


@pytest.fixture
def samples(cities: Path) -> list[Sample]:
    loader = StructuredDataLoader(records_per_table=10)
    loader.load_from_csv(cities)
    return loader.prepare_distillation_dataset()


def test_the_defaults_are_the_designs() -> None:
    defaults = DistillationConfig(teacher_model_name="gpt2", student_model_name="distilgpt2")
    assert (defaults.temperature, defaults.alpha) == (2.0, 0.5)


def test_a_student_of_half_the_layers_is_trained_and_saved(
    teacher_folder: Path, samples: list[Sample], tmp_path: Path
) -> None:
    distiller = ModelDistiller(config(teacher_folder, output=tmp_path / "student"))
    distiller.load_teacher_model()
    before = distiller.load_student_model().model.get_input_embeddings().weight.clone()
    student = distiller.distill(samples)
    assert student.model.config.num_hidden_layers == 2
    assert torch.equal(student.model.get_input_embeddings().weight, before)
    folder = distiller.save_distilled_model()
    assert folder == tmp_path / "student"
    assert json.loads((folder / "distillation.json").read_text())["steps"] == 4
    ids = torch.tensor([[1, 90, 91]])
    assert torch.equal(load_model(str(folder)).model(ids).logits, student.model(ids).logits)


def test_the_same_seed_gives_the_same_student(teacher_folder: Path, samples: list[Sample]) -> None:
    first, second = (ModelDistiller(config(teacher_folder)).distill(samples).model.state_dict() for _ in range(2))
    assert all(torch.equal(value, second[name]) for name, value in first.items())


def test_a_student_is_cut_from_the_corrected_teacher(teacher_folder: Path, samples: list[Sample]) -> None:
    distiller = ModelDistiller(config(teacher_folder, steps=1, learning_rate=1e-12, alignment_steps=0))
    untouched = distiller.load_student_model().model.state_dict()["model.layers.0.mlp.up_proj.weight"].clone()
    trained = distiller.distill(samples).model.state_dict()["model.layers.0.mlp.up_proj.weight"]
    assert distiller.teacher is not None
    corrected = distiller.teacher.model.state_dict()["model.layers.0.mlp.up_proj.weight"]
    assert (trained - corrected).abs().max() < 1e-6
    assert (trained - untouched).abs().max() > 1e-5


def test_a_loss_of_ones_own_is_used_and_told_of(
    teacher_folder: Path, samples: list[Sample], capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[int] = []

    class OnlyHard(DistillationLoss):
        def forward(self, student_logits: Tensor, teacher_logits: Tensor, labels: Tensor) -> Tensor:
            calls.append(len(labels))
            return torch.nn.functional.cross_entropy(student_logits, labels)

    ModelDistiller(config(teacher_folder), OnlyHard()).distill(samples)
    assert len(calls) == 4
    assert "OnlyHard has a forward of its own" in capsys.readouterr().err


def test_a_named_student_is_trained_whole(teacher_folder: Path, samples: list[Sample], tmp_path: Path) -> None:
    from tests.conftest import CITIES

    named = tiny_llama(tmp_path / "named", CITIES, layers=2, width=32)
    distiller = ModelDistiller(config(teacher_folder, student_model_name=str(named)))
    before = distiller.load_student_model().model.get_input_embeddings().weight.clone()
    student = distiller.distill(samples)
    assert student.model.config.hidden_size == 32
    assert not torch.equal(student.model.get_input_embeddings().weight, before)


def test_a_student_with_another_tokenizer_is_refused(teacher_folder: Path, tmp_path: Path) -> None:
    other = tiny_llama(tmp_path / "other", "entirely different words make other merges " * 9)
    distiller = ModelDistiller(config(teacher_folder, student_model_name=str(other)))
    with pytest.raises(TokenizerMismatch, match="read text differently") as caught:
        distiller.load_student_model()
    assert caught.value.exit_code == 5
    assert caught.value.next_step


def test_what_is_missing_is_said(teacher_folder: Path, samples: list[Sample]) -> None:
    with pytest.raises(UsageError, match="no student to save"):
        ModelDistiller(config(teacher_folder)).save_distilled_model()
    with pytest.raises(DataError, match="no training sample"):
        ModelDistiller(config(teacher_folder)).distill([s for s in samples if s.split == "test"])
    with pytest.raises(UsageError, match="9 layers can't be cut"):
        ModelDistiller(config(teacher_folder, student_layers=9)).load_student_model()
