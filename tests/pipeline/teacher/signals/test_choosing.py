"""Where signals come from: files where nothing needs more, the teacher elsewhere, and the run says which and why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from attar.pipeline import DistillationConfig, DistillationLoss, ModelDistiller, Sample, StructuredDataLoader
from attar.pipeline.checkpoints import Checkpoints
from attar.pipeline.losses import Targets
from attar.runtime.errors import SignalError, UsageError

SHORT = {"correction": {"steps": 0}, "alignment_steps": 0, "alignment": 0.0, "steps": 12, "batch_tokens": 512}


class Dense(DistillationLoss):
    """A loss that sees all logits at once."""

    def forward(self, student_logits: Tensor, teacher_logits: Tensor, labels: Tensor) -> Tensor:
        assert teacher_logits.shape == student_logits.shape
        return (student_logits - teacher_logits).square().mean()


class ByToken(DistillationLoss):
    """A loss that takes each token by itself, and what it was given."""

    seen: list[type]

    def per_token(self, student_logits: Tensor, teacher: Targets, labels: Tensor) -> Tensor:
        self.__dict__.setdefault("seen", []).append(type(teacher))
        return super().per_token(student_logits, teacher, labels)


@pytest.fixture
def samples(cities: Path) -> list[Sample]:
    loader = StructuredDataLoader(records_per_table=8)
    loader.load_from_csv(cities)
    return loader.prepare_distillation_dataset()


def distiller(
    teacher: Path, own: DistillationLoss | None = None, checkpoints: Checkpoints | None = None, **settings: object
) -> ModelDistiller:
    config = DistillationConfig.model_validate({"teacher_model_name": str(teacher), **SHORT, **settings})
    return ModelDistiller(config, own, checkpoints)


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return next(line for line in capsys.readouterr().err.splitlines() if line.startswith("distill: "))


@pytest.mark.parametrize(
    ("settings", "loss", "words"),
    [
        ({}, None, "distill: signals cached: 16 most likely tokens"),
        (
            {"signal_kind": "sampled", "signal_tokens": 9, "loss": "forward_kl"},
            None,
            "distill: signals cached: 9 drawn tokens",
        ),
        ({"alignment": 2.0}, None, "distill: teacher online: hidden states are aligned, and only the teacher has them"),
        ({"signals": "online"}, None, "distill: teacher online: distillation.signals says so"),
        ({"steps": 1}, None, "distill: teacher online: no sample comes twice"),
        ({"steps": 1, "signals": "cached"}, None, "distill: signals cached: 16"),
        ({}, Dense(), "distill: teacher online: Dense has a forward of its own"),
        ({}, ByToken(), "distill: teacher online: ByToken has a per_token of its own"),
        ({"signals": "cached"}, ByToken(), "distill: signals cached: 16"),
        ({"alpha": 0.0}, None, "distill: the teacher is not asked: distillation.alpha is 0"),
        ({"alpha": 0.0, "alignment": 2.0}, None, "distill: teacher online: hidden states are aligned"),
    ],
)
def test_files_are_taken_where_nothing_needs_more_and_the_run_says_so(
    teacher_folder: Path,
    samples: list[Sample],
    capsys: pytest.CaptureFixture[str],
    settings: dict[str, object],
    loss: DistillationLoss | None,
    words: str,
) -> None:
    distiller(teacher_folder, loss, **settings).distill(samples)
    assert said(capsys).startswith(words)


def test_a_loss_by_token_gets_what_it_asked_for(teacher_folder: Path, samples: list[Sample]) -> None:
    for choice, name in {"online": "Tensor", "cached": "SparseTargets"}.items():
        loss = ByToken()
        distiller(teacher_folder, loss, signals=choice).distill(samples)
        assert {kind.__name__ for kind in loss.seen} == {name}


def test_files_for_a_loss_that_needs_the_teacher_are_refused_before_anything_is_trained(
    teacher_folder: Path, samples: list[Sample], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError, match="not enough") as caught:
        distiller(teacher_folder, Dense(), signals="cached", alignment_steps=5).distill(samples)
    assert "Dense has a forward of its own" in (caught.value.why or "")
    assert "auto" in (caught.value.next_step or "")
    assert "align layers" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"signals": "cached", "alignment": 2.0}, "hold no hidden states"),
        ({"signal_kind": "sampled", "loss": "reverse_kl"}, "unbiased for forward_kl alone"),
        ({"signals": "offline"}, "signals"),
        ({"signal_tokens": 0}, "signal_tokens"),
    ],
)
def test_settings_that_contradict_each_other_are_refused_with_the_config(
    settings: dict[str, object], words: str
) -> None:
    with pytest.raises(ValidationError, match=words):
        DistillationConfig.model_validate({"teacher_model_name": "gpt2", **settings})


def test_files_that_are_kept_are_taken_again_and_those_of_another_teacher_refused(
    teacher_folder: Path, samples: list[Sample], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = {"signal_folder": tmp_path / "signals"}
    first = distiller(teacher_folder, **kept).distill(samples).model.state_dict()
    assert "capture signals" in capsys.readouterr().err
    again = distiller(teacher_folder, **kept).distill(samples).model.state_dict()
    assert "capture signals" not in capsys.readouterr().err
    assert all(torch.equal(value, again[name]) for name, value in first.items())
    with pytest.raises(SignalError, match="not of this teacher") as caught:
        distiller(teacher_folder, **kept, correction={"steps": 1}).distill(samples)
    assert caught.value.why == "Another teacher."
    with pytest.raises(SignalError) as caught:
        distiller(teacher_folder, **kept, temperature=1.0, signal_tokens=4).distill(samples)
    assert caught.value.why == "Another tokens and another temperature."


def test_files_of_a_run_that_goes_on_stand_beside_its_checkpoints(
    teacher_folder: Path, samples: list[Sample], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        distiller(teacher_folder, checkpoints=Checkpoints(tmp_path, 0.0)).distill(samples)
    assert capsys.readouterr().err.count("capture signals") == 1
    assert json.loads((tmp_path / "signals" / "signals.json").read_text())["of"]["kind"] == "top_k"


def test_files_that_nobody_keeps_go_with_their_signals(
    teacher_folder: Path, samples: list[Sample], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (passing := tmp_path / "passing").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(passing))
    distiller(teacher_folder).distill(samples)
    assert list(passing.iterdir()) == []


def test_only_samples_that_will_come_are_captured(
    teacher_folder: Path, samples: list[Sample], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "signals"
    distiller(teacher_folder, steps=1, signals="cached", signal_folder=folder, batch_tokens=256).distill(samples)
    shards = json.loads((folder / "signals.json").read_text())["shards"]
    assert 0 < sum(shard["samples"] for shard in shards.values()) < sum(one.split == "train" for one in samples)
