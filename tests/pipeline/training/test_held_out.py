"""Samples set aside: whole groups, never many, and what is measured on them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from attar.pipeline import Sample, StructuredDataLoader
from attar.pipeline.data.render import render
from attar.pipeline.teacher import LoadedModel, load_model
from attar.pipeline.training.batches import collate, pack_all
from attar.pipeline.training.correction import correct
from attar.pipeline.training.held_out import answer_watch, loss_watch, set_aside
from attar.pipeline.training.loop import Schedule


@pytest.fixture
def samples(cities: Path) -> list[Sample]:
    loader = StructuredDataLoader(records_per_table=10)
    loader.load_from_csv(cities)
    return [sample for sample in loader.prepare_distillation_dataset() if sample.split == "train"]


@pytest.fixture
def teacher(teacher_folder: Path) -> LoadedModel:
    return load_model(str(teacher_folder))


def numbered(samples: list[Sample], count: int, **changes: object) -> list[Sample]:
    """Four samples on each of so many rows."""
    first = samples[0]
    return [
        replace(first, id=f"{row:03}-{place}", rows=[row], record=f"{first.record} {row}", **changes)
        for row in range(count)
        for place in range(4)
    ]


def test_no_row_is_on_both_sides_and_nothing_is_lost(samples: list[Sample]) -> None:
    many = numbered(samples, 100)
    trained, watched = set_aside(many, 0.1, 0)
    assert len({sample.rows[0] for sample in watched}) == 10
    assert not {sample.rows[0] for sample in trained} & {sample.rows[0] for sample in watched}
    assert len(trained) + len(watched) == len(many)


def test_the_choice_follows_from_the_seed_and_not_from_the_order(samples: list[Sample]) -> None:
    many = numbered(samples, 100)
    watched = set_aside(many, 0.1, 0)[1]
    assert set_aside(many[::-1], 0.1, 0)[1] == watched
    assert set_aside(many, 0.1, 1)[1] != watched


def test_never_many_are_set_aside_and_none_where_they_would_be_few(samples: list[Sample]) -> None:
    trained, watched = set_aside(numbered(samples, 1000), 0.5, 0)
    assert (len(watched), len(trained)) == (64, 4000 - 32 * 4)
    for share, few in ((0.03, numbered(samples, 100)), (0.0, numbered(samples, 1000)), (0.5, [])):
        assert set_aside(few, share, 0) == (few, [])


def test_facts_to_be_known_by_heart_are_set_aside_one_question_at_a_time(samples: list[Sample]) -> None:
    known = [replace(sample, record="") for sample in numbered(samples, 10)]
    trained, watched = set_aside(known, 0.5, 0)
    assert len(watched) == 20
    assert {sample.rows[0] for sample in watched} & {sample.rows[0] for sample in trained}


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_loss_is_a_mean_over_tokens_and_leaves_the_model_as_it_was(
    teacher: LoadedModel, samples: list[Sample], precision: str
) -> None:
    rendered = render(samples[:6], teacher.tokenizer)
    together = [collate(pack_all(rendered, 8))]
    apart = [collate([one]) for one in pack_all(rendered, 1)]
    before = {name: value.clone() for name, value in teacher.model.state_dict().items()}
    teacher.model.train()
    first, second = (loss_watch(teacher.model, batches, 5, 3, precision) for batches in (together, apart))
    assert first is not None and second is not None
    assert first.score() == pytest.approx(second.score(), rel=1e-5 if precision == "float32" else 0.02)
    assert teacher.model.training
    assert all(torch.equal(value, before[name]) for name, value in teacher.model.state_dict().items())


def test_exact_match_is_the_share_of_right_answers(teacher: LoadedModel, samples: list[Sample]) -> None:
    learned = samples[:4]
    sequences = pack_all(render(learned, teacher.tokenizer), 8)
    correct(teacher.model, sequences, Schedule(80, 5e-3), batch_tokens=512, precision="float32", seed=0)
    changed = [replace(sample, answer="no such answer at all") for sample in learned[2:]]
    for watched, share in ((learned, 1.0), (learned[:2] + changed, 0.5)):
        watch = answer_watch(teacher, watched, 5, "float32")
        assert watch is not None
        assert watch.score() == share
        assert watch.margin(0.5) == 0.25, "one standard error of four answers"
        assert watch.margin(1.0) == watch.margin(0.9) == pytest.approx(0.15), "as if nine of ten were right"


def test_nothing_is_watched_without_samples_or_where_told_so(teacher: LoadedModel, samples: list[Sample]) -> None:
    batches = [collate(pack_all(render(samples[:2], teacher.tokenizer), 8))]
    assert loss_watch(teacher.model, [], 5, 3, "float32") is None
    assert loss_watch(teacher.model, batches, 0, 3, "float32") is None
    assert answer_watch(teacher, [], 5, "float32") is None
    assert answer_watch(teacher, samples[:2], 0, "float32") is None
