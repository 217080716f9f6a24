"""The finish: the rounding that training sees is the export's, and a student that lost by it answers again."""

from __future__ import annotations

import copy
import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from attar.pipeline.checkpoints import Checkpoints
from attar.pipeline.data.render import RenderedSample
from attar.pipeline.export.layouts import LAYOUTS, is_rounded
from attar.pipeline.losses import DistillationLoss
from attar.pipeline.teacher import load_model
from attar.pipeline.training.batches import Batch, Packed, collate, pack
from attar.pipeline.training.forward import answer_logits, run_body
from attar.pipeline.training.loop import Schedule, train
from attar.pipeline.training.precision import computing_in
from attar.pipeline.training.rounding_aware import finish, roundings_of, settle
from tests.conftest import CITIES
from tests.tiny import tiny_gpt2, tiny_llama

FORMS = [name for name in LAYOUTS if name != "none"]
SETTINGS = {"is_cut": True, "alignment": 2.0, "batch_tokens": 256, "precision": "float32", "compiled": False, "seed": 0}


def made(name: str, folder: Path) -> PreTrainedModel:
    """A small model; "odd" has rows that are no whole blocks."""
    if name == "gpt2":
        return load_model(str(tiny_gpt2(folder / name, CITIES, layers=1))).model
    width = 48 if name == "odd" else 64
    path = tiny_llama(folder / name, CITIES, layers=1, width=width, tied=name != "untied")
    return load_model(str(path)).model


def as_exported(model: PreTrainedModel, form: str) -> list[np.ndarray]:
    """What the export's own functions give each weight of a form, in the parameters' shapes."""
    weights = LAYOUTS[form].weights(model)
    return [
        rounded.T if weight.is_turned else rounded
        for weight in weights
        for rounded in [weight.rounding.rounded(weight.rows.contiguous().numpy())]
    ]


@pytest.mark.parametrize("name", ["tied", "untied", "gpt2", "odd"])
@pytest.mark.parametrize("form", FORMS)
def test_weights_are_rounded_as_the_export_rounds_them(form: str, name: str, tmp_path: Path) -> None:
    model = made(name, tmp_path)
    masters = copy.deepcopy(model.state_dict())
    expected = as_exported(model, form)
    roundings = roundings_of(model, form)
    with computing_in(model, "float32", roundings):
        seen = [parameter.data.clone() for parameter in roundings]
        untouched = [p for p in model.parameters() if p not in roundings]
        assert untouched
        assert all(p.ndim == 1 or name == "gpt2" for p in untouched)  # norms and biases; GPT-2's places
    assert all(np.array_equal(ours.numpy(), theirs) for ours, theirs in zip(seen, expected, strict=True))
    assert all(torch.equal(value, masters[key]) for key, value in model.state_dict().items())
    with computing_in(model, "bfloat16", roundings):
        halves = [parameter.data.clone() for parameter in roundings]
    assert all(torch.equal(half, whole.bfloat16()) for half, whole in zip(halves, seen, strict=True))


@pytest.mark.parametrize("form", FORMS)
def test_weights_that_moved_keep_their_scales_and_are_found_by_the_export(form: str, tmp_path: Path) -> None:
    model = made("tied", tmp_path)
    roundings = roundings_of(model, form)
    torch.manual_seed(0)
    for parameter in roundings:
        parameter.data.add_(0.02 * torch.randn_like(parameter.data))
    with computing_in(model, "float32", roundings):
        seen = [parameter.data.clone() for parameter in roundings]
    settle(roundings)
    assert all(torch.equal(parameter.data, was) for parameter, was in zip(roundings, seen, strict=True))
    assert all(np.array_equal(a.data.numpy(), b) for a, b in zip(roundings, as_exported(model, form), strict=True))
    assert is_rounded(model, form)


BATCH = collate([pack([RenderedSample("a", "r", (1, 2, 3), (4, 2))])])


def test_gradients_go_straight_through_to_the_weights() -> None:
    model = nn.Linear(4, 1, bias=False)
    weights = model.weight.data.clone()

    def to_halves(values: Tensor, target: Tensor) -> None:
        target.copy_((2 * values).round() / 2)

    seen: list[Tensor] = []

    def loss_of(_: Batch) -> Tensor:
        seen.append(model.weight.data.clone())
        return (model.weight * torch.tensor([[3.0, -1.0, 0.5, 2.0]])).sum()

    train("fit", model, itertools.repeat(BATCH), loss_of, Schedule(2, 0.3, 0.0), roundings={model.weight: to_halves})
    assert torch.equal(seen[0], (2 * weights).round() / 2)
    moved = weights - 0.3 * torch.tensor([[1.0, -1.0, 1.0, 1.0]])  # Adam's first step is the gradient's sign
    assert torch.allclose(seen[1], (2 * moved).round() / 2)
    assert not torch.equal(model.weight.data, (2 * model.weight.data).round() / 2)  # the weights are not rounded
