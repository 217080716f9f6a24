"""Layers ranked by what the loss rises without them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import islice
from pathlib import Path

import pytest
import torch

from attar.pipeline import StructuredDataLoader
from attar.pipeline.data.render import render
from attar.pipeline.student import cut, ranked_layers
from attar.pipeline.teacher import LoadedModel, load_model
from attar.pipeline.training.batches import Batch, Packed, endless_batches, pack_all
from attar.pipeline.training.held_out import cross_entropy
from attar.pipeline.training.importance import CALIBRATION_BATCHES, Weighing, layer_ranking
from tests.tiny import tiny_llama


@pytest.fixture
def loaded(tmp_path: Path, cities: Path) -> LoadedModel:
    found = load_model(str(tiny_llama(tmp_path / "teacher", cities.read_text(encoding="utf-8"), layers=6)))
    found.model.eval()
    return found


@pytest.fixture
def sequences(loaded: LoadedModel, cities: Path) -> list[Packed]:
    loader = StructuredDataLoader(records_per_table=10)
    loader.load_from_csv(cities)
    return pack_all(render(loader.prepare_distillation_dataset(), loaded.tokenizer), 8)


@pytest.mark.parametrize("keep", [6, 2])
def test_layers_are_ranked_by_the_losses_of_students_without_them_and_the_teacher_stays_as_it_is(
    keep: int, loaded: LoadedModel, sequences: list[Packed]
) -> None:
    batches = list(islice(endless_batches(sequences, 512, 3), CALIBRATION_BATCHES))
    before = {name: value.clone() for name, value in loaded.model.state_dict().items()}
    found, again = (
        layer_ranking(loaded.model, sequences, keep, batch_tokens=512, precision="float32", seed=3) for _ in range(2)
    )
    assert found == again == ranked_layers(6, keep, partial(_loss_of_a_cut, loaded, batches))
    assert all(torch.equal(value, before[name]) for name, value in loaded.model.state_dict().items())


@pytest.mark.parametrize("going", [[4, 1, 3, 2], [0, 5, 2, 1]])
def test_losses_are_those_of_students_whichever_layers_go(
    going: list[int], loaded: LoadedModel, sequences: list[Packed]
) -> None:
    batches = list(islice(endless_batches(sequences, 512, 3), 2))
    with torch.inference_mode():
        weighing = Weighing(loaded.model, batches)
        for count in range(len(going)):
            gone = going[:count]
            for layer in set(range(6)) - set(gone):
                assert weighing.loss_without([*gone, layer]) == _loss_of_a_cut(loaded, batches, [*gone, layer])


def _loss_of_a_cut(loaded: LoadedModel, batches: Sequence[Batch], gone: Sequence[int]) -> float:
    """Of a student that is cut, so that how layers are left out is not taken on trust."""
    student = cut(loaded.model, [layer for layer in range(6) if layer not in gone]).eval()
    with torch.inference_mode():
        return cross_entropy(student, batches)
