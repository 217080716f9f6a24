"""Layers weighed by what the loss rises without them."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import torch

from attar.pipeline import StructuredDataLoader
from attar.pipeline.data.render import render
from attar.pipeline.student import layers_of
from attar.pipeline.teacher import load_model
from attar.pipeline.training.batches import endless_batches, pack_all
from attar.pipeline.training.held_out import cross_entropy
from attar.pipeline.training.hidden import skipped
from attar.pipeline.training.importance import CALIBRATION_BATCHES, layer_importance


def test_a_layer_that_adds_nothing_matters_nothing_and_the_teacher_stays_as_it_is(
    teacher_folder: Path, cities: Path
) -> None:
    loaded = load_model(str(teacher_folder))
    loaded.model.eval()
    idle = layers_of(loaded.model)[1][1]
    with torch.no_grad():
        for name, parameter in idle.named_parameters():
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                parameter.zero_()
    before = {name: value.clone() for name, value in loaded.model.state_dict().items()}
    loader = StructuredDataLoader(records_per_table=10)
    loader.load_from_csv(cities)
    sequences = pack_all(render(loader.prepare_distillation_dataset(), loaded.tokenizer), 8)
    found, again = (
        layer_importance(loaded.model, sequences, batch_tokens=512, precision="float32", seed=0) for _ in range(2)
    )
    assert len(found) == 4
    assert abs(found[1]) < 1e-5
    assert all(abs(found[layer]) > 1e-3 for layer in (0, 2, 3))
    assert found == again
    assert all(torch.equal(value, before[name]) for name, value in loaded.model.state_dict().items())


def test_a_layer_weighs_what_the_loss_rises_when_the_others_are_computed(teacher_folder: Path, cities: Path) -> None:
    loaded = load_model(str(teacher_folder))
    loader = StructuredDataLoader(records_per_table=10)
    loader.load_from_csv(cities)
    sequences = pack_all(render(loader.prepare_distillation_dataset(), loaded.tokenizer), 8)
    found = layer_importance(loaded.model, sequences, batch_tokens=512, precision="float32", seed=3)
    batches = list(islice(endless_batches(sequences, 512, 3), CALIBRATION_BATCHES))
    tokens = sum(len(batch.labels) for batch in batches)
    with torch.inference_mode():
        whole = cross_entropy(loaded.model, batches)
        for layer, weight in zip(layers_of(loaded.model)[1], found, strict=True):
            with skipped(layer):
                assert (cross_entropy(loaded.model, batches) - whole) / tokens == weight
