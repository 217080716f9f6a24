"""The baseline has the student's body, steps and batches, and learns from right answers alone."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pytest
import torch

from attar.pipeline import DistillationConfig, ModelDistiller, Sample, StructuredDataLoader
from attar.pipeline.data.render import render
from attar.pipeline.student.body import Body, cut_student
from attar.pipeline.training import baseline, distillation
from attar.pipeline.training.baseline import baseline_schedule, train_baseline
from attar.pipeline.training.batches import Batch, endless_parts, pack_all
from attar.pipeline.training.held_out import set_aside
from tests.tiny import tiny_llama


def config(teacher: Path, **settings: object) -> DistillationConfig:
    short = {"correction": {"steps": 0}, "alignment_steps": 2, "steps": 4, "batch_tokens": 512}
    return DistillationConfig.model_validate({"teacher_model_name": str(teacher), **short, **settings})


@pytest.fixture
def samples(cities: Path) -> list[Sample]:
    loader = StructuredDataLoader(records_per_table=10)
    loader.load_from_csv(cities)
    return [sample for sample in loader.prepare_distillation_dataset() if sample.split == "train"]


@pytest.mark.parametrize("body", [{}, {"student_vocabulary": 340}, {"student_layers": [1, 2, 3]}])
def test_it_is_what_distillation_without_its_teacher_gives(
    body: dict[str, object], teacher_folder: Path, samples: list[Sample]
) -> None:
    settings = config(teacher_folder, fitting_tokens=0, alignment_steps=0, alignment=0.0, alpha=0.0, **body)
    alone = train_baseline(settings, samples).model.state_dict()
    distilled = ModelDistiller(settings).distill(samples).model.state_dict()
    assert alone.keys() == distilled.keys()
    assert all(torch.allclose(value, distilled[name], atol=1e-6) for name, value in alone.items())


def test_what_the_teacher_would_say_changes_nothing(teacher_folder: Path, samples: list[Sample]) -> None:
    settings = config(teacher_folder)
    other = {"alpha": 1.0, "temperature": 5.0, "loss": "reverse_kl", "alignment": 9.0}
    one, two = (
        train_baseline(each, samples).model.state_dict() for each in (settings, settings.model_copy(update=other))
    )
    assert all(torch.equal(value, two[name]) for name, value in one.items())


def test_its_budget_is_alignment_and_distillation_together(teacher_folder: Path, tmp_path: Path) -> None:
    schedule = baseline_schedule(config(teacher_folder, learning_rate=1e-3, warmup=0.1))
    assert (schedule.steps, schedule.learning_rate, schedule.warmup) == (6, 1e-3, 0.1)
    named = config(teacher_folder, student_model_name=str(tmp_path))
    assert baseline_schedule(named).steps == 4  # a named student is not aligned


@pytest.mark.parametrize(
    ("cuts", "parts"), [([], [(0, 2), (1, 4)]), ([3], [(0, 1), (1, 2), (2, 1), (3, 2)])], ids=["at once", "in steps"]
)
def test_it_sees_the_very_batches_of_the_student_in_their_order(
    cuts: list[int], parts: list[tuple[int, int]], teacher_folder: Path, samples: list[Sample]
) -> None:
    settings = config(teacher_folder, cuts=cuts, last_cut_share=0.5)
    student, planned = baseline._untrained(settings, samples, None)
    sequences = pack_all(render(samples, student.tokenizer), settings.questions_per_sequence)
    expected = [
        step
        for seed, steps in parts
        for step in islice(endless_parts(sequences, settings.batch_tokens, settings.seed + seed), steps)
    ]
    found = list(baseline._batches(settings, planned, sequences))
    assert len(found) == baseline_schedule(settings).steps
    for ours, theirs in zip(chain(*found), chain(*expected), strict=True):
        assert torch.equal(ours.input_ids, theirs.input_ids)


def test_both_are_trained_on_the_same_samples_and_never_on_those_they_are_watched_by(
    teacher_folder: Path, cities: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loader = StructuredDataLoader(records_per_table=40)
    loader.load_from_csv(cities)
    many = [sample for sample in loader.prepare_distillation_dataset() if sample.split == "train"]
    settings = config(teacher_folder, held_out=0.5, evaluate_every=3, cuts=[3])
    aside = {sample.id for sample in many} - {sample.id for sample in set_aside(many, 0.5, settings.seed)[0]}
    seen: dict[str, list[list[str]]] = {"baseline": [], "student": []}
    for place, name in ((baseline, "baseline"), (distillation, "student")):

        def recorded(*arguments: Any, name: str = name) -> Iterator[list[Batch]]:
            for parts in endless_parts(*arguments):
                seen[name].append([sample.id for part in parts for sample in part.samples])
                yield parts

        monkeypatch.setattr(place, "endless_parts", recorded)
    train_baseline(settings, many)
    ModelDistiller(settings).distill(many)
    assert len(aside) >= 16
    assert seen["baseline"] == seen["student"]
    assert aside.isdisjoint(chain(*seen["baseline"]))


def test_its_layers_are_those_of_a_cut_at_once_where_no_body_is_given(
    teacher_folder: Path, samples: list[Sample]
) -> None:
    settings = config(teacher_folder, student_layers=1, learning_rate=1e-12)
    made = train_baseline(settings, samples).model.state_dict()
    distiller = ModelDistiller(settings.model_copy(update={"cuts": []}))
    cut = distiller.load_student_model().model.state_dict()
    assert made.keys() == cut.keys()
    assert all(torch.allclose(value, cut[name], atol=1e-9) for name, value in made.items())


def test_a_body_that_was_chosen_on_the_students_way_is_cut_at_once(teacher_folder: Path, samples: list[Sample]) -> None:
    settings = config(teacher_folder, student_layers=2, cuts=[3], learning_rate=1e-12)
    tokens = [*range(300), *range(301, 340)]
    made = train_baseline(settings, samples, body=Body([1, 3], tokens))
    teacher = ModelDistiller(settings).load_teacher_model()
    cut = cut_student(teacher, Body([1, 3], tokens)).model.state_dict()
    assert made.tokenizer.vocabulary_size == len(tokens)
    found = made.model.state_dict()
    assert found.keys() == cut.keys()
    assert all(torch.allclose(value, cut[name], atol=1e-9) for name, value in found.items())


def test_a_named_student_is_fine_tuned_whole_and_a_cut_one_keeps_its_embeddings(
    teacher_folder: Path, samples: list[Sample], tmp_path: Path
) -> None:
    from tests.conftest import CITIES

    named = tiny_llama(tmp_path / "named", CITIES, layers=2, width=32)
    whole = config(teacher_folder, student_model_name=str(named))
    for settings, stays in ((config(teacher_folder), True), (whole, False)):
        before = ModelDistiller(settings).load_student_model().model.get_input_embeddings().weight
        after = train_baseline(settings, samples).model.get_input_embeddings().weight
        assert torch.equal(before, after) == stays
