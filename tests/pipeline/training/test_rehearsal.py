"""Rehearsal: what requests are asked of, and that the student is held to its teacher on them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from attar.pipeline import DistillationConfig, DistillationLoss, ModelDistiller, Sample, StructuredDataLoader
from attar.pipeline.checkpoints import Checkpoints
from attar.pipeline.data.render import render
from attar.pipeline.losses import cosine_distance
from attar.pipeline.student import cut
from attar.pipeline.teacher import LoadedModel, load_model
from attar.pipeline.training.batches import Packed, collate, pack, pack_all
from attar.pipeline.training.distillation import Pair, align, distill
from attar.pipeline.training.forward import run_body
from attar.pipeline.training.hidden import captured
from attar.pipeline.training.loop import Schedule
from attar.pipeline.training.rehearsal import Rehearsal, chosen_rehearsal, rehearsed_sequences
from attar.pipeline.training.rounding_aware import as_it_was, finish
from attar.runtime.errors import CheckFailed
from tests.tiny import tiny_llama

SETTINGS = {"batch_tokens": 512, "precision": "float32", "seed": 0}
REQUESTS = ["Make me laugh.", "How do I bake bread?", "Sing.", "Who are you?"]


@pytest.fixture
def samples(cities: Path) -> list[Sample]:
    loader = StructuredDataLoader(records_per_table=20)
    loader.load_from_csv(cities)
    return loader.prepare_distillation_dataset()


@pytest.fixture
def sequences(teacher: LoadedModel, samples: list[Sample]) -> list[Packed]:
    return pack_all(render(samples, teacher.tokenizer), 8)


def rehearsal_of(teacher: LoadedModel, sequences: list[Packed], weight: float = 2.0) -> Rehearsal:
    return Rehearsal(rehearsed_sequences(REQUESTS, sequences, teacher, most=512, seed=0), 512, weight)


def pair_of(teacher: LoadedModel) -> Pair:
    return Pair.of(teacher.model, cut(teacher.model, [0, 3]), teacher.tokenizer.vocabulary_size, is_cut=True)


def distance_of(pair: Pair, sequences: Sequence[Packed]) -> float:
    batch = collate(sequences)
    with torch.no_grad(), captured(pair.teacher) as theirs, captured(pair.student.eval()) as ours:
        run_body(pair.teacher, batch)
        run_body(pair.student, batch)
    return cosine_distance(ours[1:], [theirs[end] for end in pair.ends], batch.real).item()


def test_requests_stand_where_questions_stood(teacher: LoadedModel, sequences: list[Packed]) -> None:
    made = rehearsed_sequences(REQUESTS, sequences, teacher, most=512, seed=0)
    shared = {tuple(each.ids[: each.branches.count(0)]) for each in sequences}
    for each in made:
        context = each.ids[: each.branches.count(0)]
        assert tuple(context) in shared
        assert teacher.tokenizer.decode(context).startswith("user\n")
        for branch in range(1, len(REQUESTS) + 1):
            places = [place for place, other in enumerate(each.branches) if other == branch]
            asked = teacher.tokenizer.decode([each.ids[place] for place in places])
            assert asked.removesuffix("\nassistant\n") in REQUESTS
            assert [each.positions[place] for place in places] == list(range(len(context), len(context) + len(places)))


def test_there_are_no_answers_to_learn(teacher: LoadedModel, sequences: list[Packed]) -> None:
    made = rehearsed_sequences(REQUESTS, sequences, teacher, most=512, seed=0)
    assert not any(each.predicting or each.labels or each.samples for each in made)
    assert not collate(made[:2]).has_answers


def test_none_is_longer_than_asked_for_and_without_a_record_short_enough_none_is_shown(
    teacher: LoadedModel, sequences: list[Packed]
) -> None:
    lengths = sorted(len(each.ids) for each in rehearsed_sequences(REQUESTS, sequences, teacher, most=512, seed=0))
    middle = lengths[len(lengths) // 2]
    assert (
        max(len(each.ids) for each in rehearsed_sequences(REQUESTS, sequences, teacher, most=middle, seed=0)) <= middle
    )
    bare = rehearsed_sequences(REQUESTS, sequences, teacher, most=1, seed=0)
    prompts = [teacher.tokenizer.encode_chat([{"role": "user", "content": request}]) for request in REQUESTS]
    assert [each.ids for each in bare] == prompts


def test_a_question_that_stands_alone_lends_no_context(teacher: LoadedModel, samples: list[Sample]) -> None:
    alone = [pack(render(samples[:1], teacher.tokenizer))]  # its whole prompt is what its questions share
    made = rehearsed_sequences(REQUESTS, alone, teacher, most=512, seed=0)
    assert len(made) == len(REQUESTS)
    assert not any(samples[0].question in teacher.tokenizer.decode(each.ids) for each in made)


def test_the_loss_adds_the_weighted_distance_on_what_is_rehearsed(
    teacher: LoadedModel, sequences: list[Packed]
) -> None:
    rehearsal = rehearsal_of(teacher, sequences)
    one = Rehearsal(rehearsal.sequences[:1], 512, 2.0)
    pair = pair_of(teacher)
    distance = distance_of(pair, one.sequences)
    loss, nothing = DistillationLoss(alpha=0.0), Schedule(1, 1e-12)
    plain, rehearsed = (
        distill(pair_of(teacher), loss, sequences[:1], nothing, alignment=0.0, rehearsal=what, **SETTINGS)[0]  # type: ignore[arg-type]
        for what in (None, one)
    )
    assert distance > 0.01
    assert rehearsed - plain == pytest.approx(2 * distance, rel=1e-4)


def test_a_loss_that_is_no_number_is_said_to_come_of_requests(teacher: LoadedModel, sequences: list[Packed]) -> None:
    broken = rehearsal_of(teacher, sequences, weight=float("nan"))
    with pytest.raises(CheckFailed, match="became nan") as caught:
        distill(
            pair_of(teacher),
            DistillationLoss(alpha=0.0),
            sequences,
            Schedule(2, 1e-3),
            alignment=0.0,
            rehearsal=broken,
            **SETTINGS,  # type: ignore[arg-type]
        )
    assert caught.value.why is not None and "requests" in caught.value.why


def test_a_student_that_rehearses_stays_nearer_to_its_teacher_there(
    teacher: LoadedModel, sequences: list[Packed]
) -> None:
    rehearsal = rehearsal_of(teacher, sequences)
    unseen = rehearsed_sequences(["What is the weather?", "Tell me more."], sequences, teacher, most=512, seed=1)

    def distance(what: Rehearsal | None) -> float:
        pair = pair_of(teacher)
        loss = DistillationLoss(alpha=0.0)
        distill(pair, loss, sequences, Schedule(40, 3e-3), alignment=0.0, rehearsal=what, **SETTINGS)  # type: ignore[arg-type]
        return distance_of(pair, unseen[:4])

    assert distance(rehearsal) < 0.7 * distance(None)


def test_a_finish_that_rehearses_stays_nearer_to_the_student_as_it_was(
    teacher: LoadedModel, sequences: list[Packed]
) -> None:
    rehearsal = rehearsal_of(teacher, sequences)
    unseen = rehearsed_sequences(["What is the weather?", "Tell me more."], sequences, teacher, most=512, seed=1)

    def distance(what: Rehearsal | None) -> float:
        pair = as_it_was(copy.deepcopy(teacher.model), teacher.tokenizer.vocabulary_size, is_cut=True)
        settings = {"form": "int8", "alignment": 0.0, "compiled": False, "rehearsal": what, **SETTINGS}
        finish(pair, DistillationLoss(alpha=0.0), sequences, Schedule(20, 3e-3), **settings)  # type: ignore[arg-type]
        return distance_of(pair, unseen[:4])

    assert distance(rehearsal) < 0.7 * distance(None)


def test_layers_that_are_aligned_rehearse_too(teacher: LoadedModel, sequences: list[Packed]) -> None:
    losses = [
        align(pair_of(teacher), sequences, Schedule(1, 1e-12), rehearsal=what, **SETTINGS)[0]  # type: ignore[arg-type]
        for what in (None, rehearsal_of(teacher, sequences))
    ]
    assert losses[1] > 1.3 * losses[0]  # another relative error beside the samples'


def test_a_distiller_rehearses_as_its_config_says_and_keeps_the_requests(
    teacher_folder: Path, samples: list[Sample], tmp_path: Path
) -> None:
    settings = {"correction": {"steps": 0}, "fitting_tokens": 0, "steps": 3, "batch_tokens": 512, "held_out": 0}

    def distilled(weight: float) -> dict[str, torch.Tensor]:
        config = DistillationConfig.model_validate(
            {"teacher_model_name": str(teacher_folder), "rehearsal": weight, **settings}
        )
        kept = Checkpoints(tmp_path / str(weight), every_seconds=0)
        return dict(ModelDistiller(config, checkpoints=kept).distill(samples).model.state_dict())

    plain, rehearsed = distilled(0.0), distilled(2.0)
    assert any(not torch.equal(value, rehearsed[name]) for name, value in plain.items())
    assert list((tmp_path / "2.0").glob("requests-of-*.json"))
    assert not list((tmp_path / "0.0").glob("requests-of-*.json"))


def test_where_nothing_can_be_compared_nothing_is_made_up_and_that_is_said(
    teacher: LoadedModel, sequences: list[Packed], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wide = load_model(str(tiny_llama(tmp_path / "wide", "a few words", layers=2, width=96)))
    config, checkpoints = (
        DistillationConfig(teacher_model_name="teacher", rehearsal=2.0),
        Checkpoints(tmp_path / "kept"),
    )
    for held_to, model in ((teacher.model, wide), (wide.model, teacher)):
        found = chosen_rehearsal(
            config, teacher, model, sequences, held_to=held_to, precision="float32", checkpoints=checkpoints
        )
        assert found is None
    assert capsys.readouterr().err.count("rehearsal: left out") == 2
    assert not (tmp_path / "kept").exists()
