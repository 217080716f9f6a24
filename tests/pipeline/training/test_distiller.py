"""``ModelDistiller``, used as the design says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from attar.pipeline import DistillationConfig, DistillationLoss, ModelDistiller, Sample, StructuredDataLoader
from attar.pipeline.checkpoints import Checkpoints
from attar.pipeline.data.render import render
from attar.pipeline.teacher import LoadedModel, load_model
from attar.runtime.errors import DataError, Refused, TokenizerMismatch, UsageError
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
    nothing = {"steps": 1, "learning_rate": 1e-12, "alignment_steps": 0, "layer_choice": "even"}
    distiller = ModelDistiller(config(teacher_folder, **nothing))
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
    with pytest.raises(UsageError, match="9 layers can't be cut"):
        ModelDistiller(config(teacher_folder, student_layers=9, correction={"steps": 0})).distill(samples)


def test_a_sample_longer_than_the_model_reads_is_refused_and_never_cut(
    teacher_folder: Path, samples: list[Sample]
) -> None:
    long = replace(next(one for one in samples if one.split == "train"), answer="Aarhus " * 600, id="long")
    with pytest.raises(DataError, match="longer than the model can read") as caught:
        ModelDistiller(config(teacher_folder)).distill([*samples, long])
    assert caught.value.where == "sample long"
    assert "max_tokens to at most 512" in str(caught.value.next_step)


@pytest.fixture
def deep_teacher(tmp_path: Path) -> Path:
    """Eight layers, and words that the cities do not need."""
    from tests.conftest import CITIES

    return tiny_llama(tmp_path / "deep", CITIES + "unrelated vocabulary entirely elsewhere wonderful " * 40, layers=8)


@pytest.mark.parametrize(
    ("cuts", "titles"),
    [
        ("auto", ["align layers to 4 layers", "distill to 4 layers", "align layers", "distill"]),
        ([5, 3], ["distill to 5 layers", "distill to 3 layers", "distill"]),
        ([], ["align layers", "distill"]),
    ],
)
def test_a_deep_cut_is_made_in_steps_and_comes_to_the_same_body(
    cuts: object, titles: list[str], deep_teacher: Path, samples: list[Sample], tmp_path: Path
) -> None:
    settings = {"student_layers": 2, "student_vocabulary": "data", "cuts": cuts, "layer_choice": "even"}
    shared = {"last_cut_share": 0.5}  # of so few steps the students on the way get some
    distiller = ModelDistiller(config(deep_teacher, **settings, **shared), checkpoints=Checkpoints(tmp_path / "kept"))
    student = distiller.distill(samples)
    assert distiller.body is not None
    assert distiller.body.layers == [0, 7]
    assert student.model.config.num_hidden_layers == 2
    assert student.tokenizer.vocabulary_size == len(distiller.body.tokens or ())
    kept = {path.stem for path in (tmp_path / "kept").glob("*.safetensors")}
    assert {title.replace(" ", "-") for title in titles} <= kept
    losses = [Checkpoints(tmp_path / "kept").load(title) for title in titles if title.startswith("distill")]
    assert sum(len(found.facts["losses"]) for found in losses if found) == 4


def test_the_last_student_is_taught_by_the_one_before(
    deep_teacher: Path, samples: list[Sample], tmp_path: Path
) -> None:
    settings = {"student_layers": 2, "alignment_steps": 0, "learning_rate": 1e-12, "cuts": [4], "layer_choice": "even"}
    student = ModelDistiller(config(deep_teacher, **settings), checkpoints=Checkpoints(tmp_path / "kept")).distill(
        samples
    )
    before = Checkpoints(tmp_path / "kept").load("distill to 4 layers")
    assert before is not None
    ours = student.model.state_dict()["model.layers.1.mlp.up_proj.weight"]
    assert torch.allclose(ours, before.tensors["weight/model.layers.3.mlp.up_proj.weight"], atol=1e-9)


def test_the_layers_of_each_cut_are_those_that_matter_in_the_student_before(
    deep_teacher: Path, samples: list[Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    weighed: list[tuple[int, int]] = []

    def ranking(self: ModelDistiller, samples: list[Sample], model: LoadedModel, keep: int) -> list[int]:
        """The last layers matter most in the teacher, the first ones in its student."""
        weighed.append((count := model.model.config.num_hidden_layers, keep))
        return list(range(count))[:: -1 if count == 8 else 1]

    monkeypatch.setattr(ModelDistiller, "_ranking", ranking)
    settings = {"student_layers": 2, "cuts": [5], "learning_rate": 1e-12, "alignment_steps": 0}
    distiller = ModelDistiller(config(deep_teacher, correction={"steps": 0}, **settings))
    student = distiller.distill(samples)
    assert distiller.body is not None and distiller.teacher is not None
    assert (weighed, distiller.body.layers) == ([(8, 5), (5, 2)], [3, 4])
    theirs = distiller.teacher.model.state_dict()
    for ours, origin in enumerate(distiller.body.layers):
        weight = student.model.state_dict()[f"model.layers.{ours}.mlp.up_proj.weight"]
        assert torch.allclose(weight, theirs[f"model.layers.{origin}.mlp.up_proj.weight"], atol=1e-9)


def test_cuts_that_lead_nowhere_are_refused_before_anything_is_trained(
    teacher_folder: Path, samples: list[Sample]
) -> None:
    with pytest.raises(UsageError, match="do not lead from 4 to 2"):
        ModelDistiller(config(teacher_folder, cuts=[2], correction={"steps": 0})).distill(samples)


@pytest.fixture
def more_samples(cities: Path) -> list[Sample]:
    """Enough to set some aside."""
    loader = StructuredDataLoader(records_per_table=40)
    loader.load_from_csv(cities)
    return loader.prepare_distillation_dataset()


def test_the_best_weights_are_known_by_held_out_samples(
    teacher_folder: Path, more_samples: list[Sample], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    settings = {"held_out": 0.5, "evaluate_every": 2, "correction": {"steps": 4, "evaluate_every": 2}}
    ModelDistiller(config(teacher_folder, **settings), checkpoints=Checkpoints(tmp_path)).distill(more_samples)
    for title, steps in (("correct teacher", [2, 4]), ("distill", [2, 4])):
        found = Checkpoints(tmp_path).load(title)
        assert found is not None
        assert [step for step, _ in found.facts["scores"]] == steps
    assert "exact match" in capsys.readouterr().err


def test_checkpoints_hold_no_teacher_and_refuse_another(
    teacher_folder: Path, samples: list[Sample], tmp_path: Path
) -> None:
    settings = {"correction": {"steps": 0}}
    ModelDistiller(config(teacher_folder, **settings), checkpoints=Checkpoints(tmp_path / "kept")).distill(samples)
    found = Checkpoints(tmp_path / "kept").load("distill")
    assert found is not None
    assert all(".layers.2." not in name and "embed" not in name for name in found.tensors)
    from tests.conftest import CITIES

    other = tiny_llama(tmp_path / "other", CITIES, layers=4, width=32)
    with pytest.raises(Refused, match="another teacher and another student"):
        ModelDistiller(config(other, **settings), checkpoints=Checkpoints(tmp_path / "kept")).distill(samples)


@pytest.fixture
def wordy_teacher(tmp_path: Path) -> Path:
    """Its tokenizer knows more words than the cities need, so that there is something to trim."""
    from tests.conftest import CITIES

    return tiny_llama(tmp_path / "wordy", CITIES + "unrelated vocabulary entirely elsewhere wonderful " * 40)


@pytest.mark.parametrize("vocabulary", ["data", 340])
def test_a_student_of_fewer_tokens_reads_the_data_as_the_teacher_does(
    vocabulary: object, wordy_teacher: Path, samples: list[Sample], tmp_path: Path
) -> None:
    distiller = ModelDistiller(config(wordy_teacher, student_vocabulary=vocabulary, output=tmp_path / "student"))
    student = distiller.distill(samples)
    assert distiller.teacher is not None
    teacher = distiller.teacher
    assert student.tokenizer.vocabulary_size < teacher.tokenizer.vocabulary_size
    assert student.model.config.vocab_size == student.tokenizer.vocabulary_size
    folder = distiller.save_distilled_model()
    tokens = json.loads((folder / "vocabulary.json").read_text())["teacher_tokens"]
    table = teacher.model.get_input_embeddings().weight
    assert torch.equal(student.model.get_input_embeddings().weight, table[tokens])  # not trained, in a cut student
    train = [sample for sample in samples if sample.split == "train"]
    ours, theirs = render(train, student.tokenizer), render(train, teacher.tokenizer)
    if vocabulary == "data":
        assert [[tokens[i] for i in (*s.prompt, *s.answer)] for s in ours] == [[*s.prompt, *s.answer] for s in theirs]
    assert load_model(str(folder)).tokenizer.to_json() == student.tokenizer.to_json()


def test_a_trimmed_student_that_was_saved_is_trained_on_by_the_whole_teacher(
    wordy_teacher: Path, samples: list[Sample], tmp_path: Path
) -> None:
    first = ModelDistiller(config(wordy_teacher, student_vocabulary="data", output=tmp_path / "student"))
    first.distill(samples)
    again = ModelDistiller(config(wordy_teacher, student_model_name=str(first.save_distilled_model())))
    assert first.student is not None
    assert again.distill(samples).parameters == first.student.parameters


def test_a_named_student_is_trimmed_too(wordy_teacher: Path, samples: list[Sample]) -> None:
    distiller = ModelDistiller(config(wordy_teacher, student_model_name=str(wordy_teacher), student_vocabulary="data"))
    student = distiller.distill(samples)
    assert student.model.config.num_hidden_layers == 4
    assert (
        student.model.config.vocab_size
        == student.tokenizer.vocabulary_size
        < load_model(str(wordy_teacher)).tokenizer.vocabulary_size
    )


def test_layers_are_chosen_as_told(teacher_folder: Path, samples: list[Sample]) -> None:
    chosen = {}
    for name, settings in {
        "even": {"student_layers": 3, "layer_choice": "even"},
        "lowest": {"student_layers": 3, "layer_choice": "lowest"},
        "explicit": {"student_layers": [1, 2]},
        "importance": {},
    }.items():
        distiller = ModelDistiller(config(teacher_folder, **settings))
        distiller.distill(samples)
        assert distiller.body is not None
        chosen[name] = distiller.body.layers
    assert chosen["even"] == [0, 2, 3]
    assert chosen["lowest"] == [0, 1, 3]
    assert chosen["explicit"] == [1, 2]
    assert len(chosen["importance"]) == 2


def test_a_student_cut_without_samples_is_cut_anew_by_what_they_show(
    teacher_folder: Path, samples: list[Sample]
) -> None:
    distiller = ModelDistiller(config(teacher_folder))
    distiller.load_student_model()
    assert distiller.body is not None and distiller.body.layers == [0, 3]
    distiller.distill(samples)
    assert sorted(distiller.body.ranking) == [0, 1, 2, 3]
    assert distiller.body.layers == sorted(distiller.body.ranking[:2])


def test_layers_are_weighed_once_and_not_again_by_an_attempt_that_goes_on(
    teacher_folder: Path, samples: list[Sample], tmp_path: Path
) -> None:
    def cut() -> list[int]:
        distiller = ModelDistiller(config(teacher_folder), checkpoints=Checkpoints(tmp_path))
        distiller.load_student_model(samples)
        assert distiller.body is not None
        return distiller.body.layers

    cut()
    (kept,) = tmp_path.glob("ranking*.json")
    kept.write_text(json.dumps({"ranking": [2, 1, 3, 0]}))
    assert cut() == [1, 2]


@pytest.mark.parametrize("size", [0.5, 0.8])
def test_a_size_is_filled_and_not_exceeded(size: float, wordy_teacher: Path, samples: list[Sample]) -> None:
    distiller = ModelDistiller(config(wordy_teacher, student_size=size))
    student = distiller.distill(samples)
    assert distiller.teacher is not None
    share = student.parameters / distiller.teacher.parameters
    assert share <= size
    kept_all = student.tokenizer.vocabulary_size == distiller.teacher.tokenizer.vocabulary_size
    assert kept_all or size - share < 0.01


def test_a_body_that_follows_from_the_data_can_not_be_cut_without(teacher_folder: Path, samples: list[Sample]) -> None:
    for settings in ({"student_vocabulary": "data"}, {"student_size": 0.8}):
        distiller = ModelDistiller(config(teacher_folder, **settings))
        with pytest.raises(UsageError, match="follows from the training data"):
            distiller.load_student_model()
        distiller.load_student_model(samples)


@pytest.mark.parametrize(
    "settings",
    [
        {"student_size": 0.5, "student_layers": 2},
        {"student_size": 0.5, "student_vocabulary": "data"},
        {"student_size": 0.5, "student_model_name": "distilgpt2"},
        {"student_layers": [0, 1], "layer_choice": "lowest"},
        {"student_vocabulary": "all"},
        {"student_size": 1.5},
        {"layer_choice": "highest"},
        {"student_model_name": "distilgpt2", "cuts": [3]},
        {"cuts": "halves"},
    ],
)
def test_two_ways_to_choose_a_body_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        config(Path("teacher"), **settings)
