"""Layers fitted by least squares: what they are nearer to, what stays, and what is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional

from attar.pipeline import StructuredDataLoader
from attar.pipeline.checkpoints import Checkpoints
from attar.pipeline.data.render import render
from attar.pipeline.student import cut, layers_of
from attar.pipeline.teacher import LoadedModel, load_model
from attar.pipeline.training.batches import Packed, collate, pack_all
from attar.pipeline.training.distillation import Pair
from attar.pipeline.training.fitting import fit
from attar.pipeline.training.forward import run_body
from attar.pipeline.training.hidden import captured
from tests.conftest import CITIES
from tests.tiny import tiny_gpt2

SETTINGS = {"batch_tokens": 512, "precision": "float32", "seed": 0}
TOKENS = 8192


@pytest.fixture(params=["llama", "gpt2"])
def teacher(request: pytest.FixtureRequest, teacher_folder: Path, tmp_path: Path) -> LoadedModel:
    loaded = load_model(str(teacher_folder if request.param == "llama" else tiny_gpt2(tmp_path, CITIES, layers=4)))
    loaded.model.requires_grad_(False).eval()
    return loaded


@pytest.fixture
def sequences(teacher: LoadedModel, cities: Path) -> list[Packed]:
    loader = StructuredDataLoader(records_per_table=20)
    loader.load_from_csv(cities)
    return pack_all(render(loader.prepare_distillation_dataset(), teacher.tokenizer), 8)


def pair_of(teacher: LoadedModel, layers: list[int]) -> Pair:
    return Pair.of(
        teacher.model, cut(teacher.model, layers), teacher.tokenizer.vocabulary_size, is_cut=True, layers=layers
    )


def relative_errors(pair: Pair, sequences: list[Packed]) -> list[float]:
    """Of each of the student's layers, end to end."""
    batch = collate(sequences[:6])
    with torch.no_grad(), captured(pair.teacher) as theirs, captured(pair.student.eval()) as ours:
        run_body(pair.teacher, batch)
        run_body(pair.student, batch)
    wanted = [theirs[end][batch.real] for end in pair.ends]
    found = [states[batch.real] for states in ours[1:]]
    return [
        ((one - other).square().sum(-1) / other.square().sum(-1)).mean().item()
        for one, other in zip(found, wanted, strict=True)
    ]


def scale_last_projections(student: nn.Module, factor: float) -> None:
    """Of layers whose MLP ends in such a projection, by the names of Llama and GPT-2."""
    for name, weight in student.named_parameters():
        if name.endswith(("down_proj.weight", "mlp.c_proj.weight")):
            weight.data *= factor


def test_what_layers_give_comes_nearer_to_what_the_teacher_gives_end_to_end(
    teacher: LoadedModel, sequences: list[Packed]
) -> None:
    pair = pair_of(teacher, [0, 2])
    before = relative_errors(pair, sequences)
    fit(pair, sequences, TOKENS, **SETTINGS)  # type: ignore[arg-type]
    after = relative_errors(pair, sequences)
    assert all(now < 0.7 * then for now, then in zip(after, before, strict=True))


def test_a_projection_that_was_spoilt_is_found_again(teacher: LoadedModel, sequences: list[Packed]) -> None:
    pair = pair_of(teacher, [0, 1, 2, 3])
    scale_last_projections(pair.student, 0.5)
    before = relative_errors(pair, sequences)
    fit(pair, sequences, TOKENS, **SETTINGS)  # type: ignore[arg-type]
    assert all(now < 0.1 * then for now, then in zip(relative_errors(pair, sequences), before, strict=True))


def test_only_the_students_last_projections_change(teacher: LoadedModel, sequences: list[Packed]) -> None:
    pair = pair_of(teacher, [0, 3])
    known = {name: value.clone() for name, value in teacher.model.state_dict().items()}
    before = {name: value.clone() for name, value in pair.student.state_dict().items()}
    fit(pair, sequences, TOKENS, **SETTINGS)  # type: ignore[arg-type]
    changed = {name for name, value in pair.student.state_dict().items() if not torch.equal(value, before[name])}
    assert len(changed) == 2
    assert all(name.endswith(("down_proj.weight", "mlp.c_proj.weight")) for name in changed)
    assert all(torch.equal(value, known[name]) for name, value in teacher.model.state_dict().items())


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_body_of_all_layers_stays_as_it_is(teacher: LoadedModel, sequences: list[Packed], precision: str) -> None:
    pair = pair_of(teacher, [0, 1, 2, 3])
    before = {name: value.clone() for name, value in pair.student.state_dict().items()}
    errors = fit(pair, sequences, TOKENS, **SETTINGS | {"precision": precision})  # type: ignore[arg-type]
    assert errors == [0.0] * 4
    assert all(torch.equal(value, before[name]) for name, value in pair.student.state_dict().items())


def test_a_layer_that_adds_something_else_than_its_projection_gets_no_worse(
    teacher: LoadedModel, sequences: list[Packed], monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = pair_of(teacher, [0, 2])
    last = layers_of(pair.student)[1][0].mlp
    project = last.forward
    # as in Gemma 2, though of the other sign: what is solved for then leads away from the teacher
    monkeypatch.setattr(last, "forward", lambda states: -functional.layer_norm(project(states), states.shape[-1:]))
    unfitted = relative_errors(pair, sequences)[0]
    fit(pair, sequences, TOKENS, **SETTINGS)  # type: ignore[arg-type]
    assert relative_errors(pair, sequences)[0] <= unfitted * 1.02  # other batches than it was held to


def test_fitted_weights_are_taken_up_again(teacher: LoadedModel, sequences: list[Packed], tmp_path: Path) -> None:
    pair, again = pair_of(teacher, [0, 3]), pair_of(teacher, [0, 3])
    errors = fit(pair, sequences, TOKENS, checkpoints=Checkpoints(tmp_path / "kept"), **SETTINGS)  # type: ignore[arg-type]
    assert fit(again, [], TOKENS, checkpoints=Checkpoints(tmp_path / "kept"), **SETTINGS) == errors  # type: ignore[arg-type]
    for one, other in zip(pair.student.parameters(), again.student.parameters(), strict=True):
        assert torch.equal(one, other)
