"""Hidden states at the layers' ends, read and replaced."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import PreTrainedModel

from attar.pipeline.student import cut, layers_of
from attar.pipeline.teacher import load_model
from attar.pipeline.training.hidden import called_with, captured, given, recorded, replaced_inputs, skipped
from tests.conftest import CITIES
from tests.tiny import tiny_gpt2

IDS = torch.tensor([[1, 90, 91, 92]])


@pytest.fixture(params=["llama", "gpt2"])
def model(request: pytest.FixtureRequest, teacher_folder: Path, tmp_path: Path) -> PreTrainedModel:
    folder = teacher_folder if request.param == "llama" else tiny_gpt2(tmp_path, CITIES, layers=4)
    return load_model(str(folder)).model.eval()


def test_what_is_captured_is_what_transformers_says(model: PreTrainedModel) -> None:
    with captured(model) as states:
        expected = model(IDS, output_hidden_states=True).hidden_states
    assert len(states) == 5
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(states[:4], expected, strict=False))
    with captured(model) as once:
        model(IDS)
    model(IDS)
    assert len(once) == 5  # the hooks are gone


def test_each_layer_sees_the_states_it_is_given(model: PreTrainedModel) -> None:
    with captured(model) as states:
        model(IDS)
    with captured(model) as again, replaced_inputs(model, [states[0]] * 4):
        model(IDS)
    assert torch.equal(again[1], states[1])
    assert not torch.allclose(again[2], states[2])
    with captured(model) as same, replaced_inputs(model, states[:4]):
        model(IDS)
    assert all(torch.equal(one, two) for one, two in zip(same, states, strict=True))


def test_a_layer_gives_the_same_for_what_it_was_called_with(model: PreTrainedModel) -> None:
    with captured(model) as states, called_with(model) as arguments:
        model(IDS)
    layers = layers_of(model)[1]
    for number, layer in enumerate(layers):
        assert torch.equal(arguments[number].call(layer, states[number]), states[number + 1])


def test_skipped_layers_hand_on_what_they_get_and_compute_nothing(model: PreTrainedModel) -> None:
    layers = layers_of(model)[1]
    with recorded(model) as outputs:
        model(IDS)
    without = cut(model, [0, 2]).eval()
    with torch.no_grad():
        for parameter in (*layers[1].parameters(), *layers[3].parameters()):
            parameter.fill_(torch.nan)
    with skipped([layers[1], layers[3]], outputs[0]):
        assert torch.allclose(without(IDS).logits, model(IDS).logits, atol=1e-5)
    assert model(IDS).logits.isnan().all()  # they compute again


def test_layers_give_what_was_recorded_and_compute_nothing(model: PreTrainedModel) -> None:
    layers = layers_of(model)[1]
    with recorded(model) as outputs:
        expected = model(IDS).logits
    with torch.no_grad():
        for parameter in (*layers[0].parameters(), *layers[1].parameters()):
            parameter.fill_(torch.nan)
    with given(layers[:2], outputs):
        assert torch.equal(model(IDS).logits, expected)
    assert model(IDS).logits.isnan().all()  # they compute again
