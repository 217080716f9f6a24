"""The benchmark of distillation: both sides do the same work, count it alike, and every way of training runs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from attar.pipeline.measurement.comparison import Block
from attar.pipeline.training.batches import collate
from attar.pipeline.training.distillation import answer_loss
from attar.pipeline.training.forward import answer_states, run_body
from benchmarks.distillation.__main__ import times_faster
from benchmarks.distillation.plain import PlainLoop
from benchmarks.distillation.scene import Scene, scene, tokens_alone
from benchmarks.distillation.worker import WAYS


@pytest.fixture
def place(teacher_folder: Path) -> Scene:
    torch.manual_seed(0)
    return scene(3, str(teacher_folder))


def test_the_plain_loop_has_the_loss_that_attar_has_on_the_same_samples(place: Scene) -> None:
    batch = collate(place.sequences)
    signal = place.pair.online_signals("float32", with_states=False).of(batch)
    states = answer_states(run_body(place.pair.student, batch).last_hidden_state, batch)
    ours = answer_loss(place.pair, place.distiller.loss, states, signal.targets, batch.labels)
    theirs = PlainLoop(place, 1e-4).loss(place.samples)
    assert theirs.item() == pytest.approx(ours.item(), rel=1e-5)


def test_tokens_are_those_that_are_read_padding_left_out(place: Scene) -> None:
    assert place.tokens == collate(place.sequences).tokens
    # A prompt of its own reads its record again, and the token that ends its answer.
    records = sum(sequence.branches.count(0) * (len(sequence.samples) - 1) for sequence in place.sequences)
    assert tokens_alone(place.samples) == place.tokens + records + len(place.samples)


@pytest.mark.parametrize("way", sorted(WAYS))
def test_an_epoch_trains(place: Scene, way: str) -> None:
    model = place.pair.teacher if way == "correction" else place.pair.student
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    with WAYS[way](place) as (epoch, known):
        epoch()
    assert known["tokens"] > 0 and known["samples_tokens"] >= known["tokens"]
    changed = {name for name, weight in model.named_parameters() if not torch.equal(weight, before[name])}
    assert {name for name in before if ".layers." in name} <= changed
    assert not any("embed" in name for name in changed)


def test_twice_the_tokens_in_half_the_time_are_four_times_as_fast() -> None:
    blocks: list[Block] = [((1.0, 1.0), (2.0, 2.0))]
    assert times_faster(blocks, 2.0)["ratio"] == pytest.approx(4.0)
