"""Alignment and distillation: what is trained, what is compared, and that it heals."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from attar.pipeline import StructuredDataLoader
from attar.pipeline.data.render import render
from attar.pipeline.losses import DistillationLoss, Targets
from attar.pipeline.student import cut, kept_tokens, trim_model
from attar.pipeline.teacher import LoadedModel, load_model
from attar.pipeline.training import batches
from attar.pipeline.training.batches import Packed, pack_all
from attar.pipeline.training.correction import correct
from attar.pipeline.training.distillation import Pair, align, distill
from attar.pipeline.training.loop import Schedule

SETTINGS = {"batch_tokens": 512, "precision": "float32", "seed": 0}


@pytest.fixture
def sequences(teacher: LoadedModel, cities: Path) -> list[Packed]:
    loader = StructuredDataLoader(records_per_table=20)
    loader.load_from_csv(cities)
    return pack_all(render(loader.prepare_distillation_dataset(), teacher.tokenizer), 8)


def pair_of(teacher: LoadedModel, layers: list[int]) -> Pair:
    return Pair.of(teacher.model, cut(teacher.model, layers), teacher.tokenizer.vocabulary_size, is_cut=True)


def test_layers_answer_for_the_teachers_layers_up_to_the_next_one_kept(teacher: LoadedModel) -> None:
    pair = pair_of(teacher, [0, 3])
    assert (pair.layers, pair.ends) == ([0, 3], [3, 4])


def test_a_body_of_all_layers_is_aligned_already(teacher: LoadedModel, sequences: list[Packed]) -> None:
    losses = align(pair_of(teacher, [0, 1, 2, 3]), sequences, Schedule(1, 1e-9), **SETTINGS)  # type: ignore[arg-type]
    assert losses[0] < 1e-10


def test_alignment_lowers_every_layers_error_and_leaves_teacher_and_embeddings(
    teacher: LoadedModel, sequences: list[Packed]
) -> None:
    pair = pair_of(teacher, [0, 3])
    before = {name: value.clone() for name, value in teacher.model.state_dict().items()}
    losses = align(pair, sequences, Schedule(40, 3e-3), **SETTINGS)  # type: ignore[arg-type]
    assert losses[-1] < 0.8 * losses[0]
    assert all(torch.equal(value, before[name]) for name, value in teacher.model.state_dict().items())
    embedding = pair.student.get_input_embeddings().weight
    assert torch.equal(embedding, teacher.model.get_input_embeddings().weight)


def test_distillation_lowers_the_loss(teacher: LoadedModel, sequences: list[Packed]) -> None:
    from attar.pipeline import DistillationLoss

    pair = pair_of(teacher, [0, 3])
    losses = distill(pair, DistillationLoss(), sequences, Schedule(40, 3e-3), alignment=2.0, **SETTINGS)  # type: ignore[arg-type]
    assert losses[-1] < 0.6 * losses[0]


@pytest.mark.parametrize(("alpha", "alignment"), [(0.0, 0.0), (0.5, 0.0), (0.0, 2.0)])
def test_a_teacher_reads_only_where_something_depends_on_it(
    teacher: LoadedModel, sequences: list[Packed], alpha: float, alignment: float
) -> None:
    pair, read = pair_of(teacher, [0, 3]), []
    teacher.model.base_model.register_forward_hook(lambda *_: read.append(True))
    losses = distill(
        pair,
        DistillationLoss(alpha=alpha),
        sequences,
        Schedule(40, 3e-3),
        alignment=alignment,
        **SETTINGS,  # type: ignore[arg-type]
    )
    assert len(read) == (40 if alpha or alignment else 0)
    assert losses[-1] < 0.6 * losses[0]


def test_a_loss_sees_shifted_fp32_logits_at_answer_positions_only(
    teacher: LoadedModel, sequences: list[Packed]
) -> None:
    seen: list[tuple[Tensor, Tensor, Tensor]] = []

    class Spy(nn.Module):
        def forward(self, student: Tensor, theirs: Tensor, labels: Tensor) -> Tensor:
            seen.append((student.detach(), theirs, labels))
            return student.sum() * 0

    pair = pair_of(teacher, [0, 1, 2, 3])
    one = sequences[:1]
    distill(pair, Spy(), one, Schedule(1, 1e-9), alignment=0.0, **SETTINGS)  # type: ignore[arg-type]
    student, theirs, labels = seen[0]
    assert student.dtype == theirs.dtype == torch.float32
    assert labels.tolist() == one[0].labels
    assert (student - theirs).abs().max() < 1e-4  # the same model on both sides
    first = one[0].samples[0]
    alone = teacher.model(torch.tensor([[*first.prompt, *first.answer]])).logits[0]
    start = len(first.prompt) - 1
    assert (theirs[: len(first.answer)] - alone[start : start + len(first.answer)]).abs().max() < 1e-4


def test_a_teacher_of_more_tokens_reads_the_same_pieces_and_speaks_of_the_students_alone(
    teacher: LoadedModel, sequences: list[Packed]
) -> None:
    seen: list[tuple[Tensor, Tensor]] = []

    class Spy(nn.Module):
        def forward(self, student: Tensor, theirs: Tensor, labels: Tensor) -> Tensor:
            seen.append((student.detach(), theirs))
            return student.sum() * 0

    used = Counter(token for sequence in sequences for token in (*sequence.ids, *sequence.labels))
    kept = kept_tokens(teacher.tokenizer, used)
    kept = kept[: len(kept) - 1] if len(kept) == teacher.tokenizer.vocabulary_size else kept
    new = {old: number for number, old in enumerate(kept)}
    one = next(each for each in sequences if {*each.ids, *each.labels} <= new.keys())
    smaller = replace(one, ids=[new[i] for i in one.ids], labels=[new[i] for i in one.labels])
    student = cut(teacher.model, [0, 1, 2, 3])
    trim_model(student, kept)
    pair = Pair.of(teacher.model, student, len(kept), is_cut=True, layers=[0, 1, 2, 3], tokens=kept)
    distill(pair, Spy(), [smaller], Schedule(1, 1e-9), alignment=0.0, **SETTINGS)  # type: ignore[arg-type]
    whole = Pair.of(teacher.model, cut(teacher.model, [0, 1, 2, 3]), teacher.tokenizer.vocabulary_size, is_cut=True)
    distill(whole, Spy(), [one], Schedule(1, 1e-9), alignment=0.0, **SETTINGS)  # type: ignore[arg-type]
    (ours, theirs), (_, all_of_them) = seen
    assert theirs.shape[1] == len(kept) < all_of_them.shape[1]
    assert torch.allclose(theirs, all_of_them[:, kept], atol=1e-5)
    assert torch.allclose(ours, theirs, atol=1e-4)  # the same body on both sides
    assert align(pair, [smaller], Schedule(1, 1e-9), **SETTINGS)[0] < 1e-10  # type: ignore[arg-type]


def test_a_first_layer_that_is_not_the_teachers_first_learns_from_the_embedding(
    teacher: LoadedModel, sequences: list[Packed]
) -> None:
    pair = Pair.of(
        teacher.model, cut(teacher.model, [1, 3]), teacher.tokenizer.vocabulary_size, is_cut=True, layers=[1, 3]
    )
    assert (pair.starts, pair.ends) == ([0, 3], [3, 4])
    losses = align(pair, sequences, Schedule(40, 3e-3), **SETTINGS)  # type: ignore[arg-type]
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.parametrize(("alpha", "formats"), [(0.0, {torch.float32}), (0.5, {torch.bfloat16})])
def test_a_teacher_that_is_not_asked_is_not_rounded_either(
    teacher: LoadedModel, sequences: list[Packed], alpha: float, formats: set[torch.dtype]
) -> None:
    pair, seen = pair_of(teacher, [0, 3]), set()

    class Looking(DistillationLoss):
        def per_token(self, student_logits: Tensor, teacher_says: Targets | None, labels: Tensor) -> Tensor:
            seen.update(weight.dtype for weight in teacher.model.parameters())
            return super().per_token(student_logits, teacher_says, labels)

        asks_teacher = DistillationLoss(1.0, alpha).asks_teacher  # type: ignore[assignment]

    settings = {**SETTINGS, "precision": "bfloat16"}
    distill(pair, Looking(1.0, alpha), sequences, Schedule(1, 1e-4), alignment=0.0, **settings)  # type: ignore[arg-type]
    assert seen == formats
    assert {weight.dtype for weight in teacher.model.parameters()} == {torch.float32}


@pytest.mark.parametrize("training", ["correct", "align", "distill"])
def test_a_batch_in_parts_trains_as_in_one_piece(
    training: str, teacher_folder: Path, sequences: list[Packed], monkeypatch: pytest.MonkeyPatch
) -> None:
    def trained(part_tokens: int) -> tuple[list[float], list[Tensor]]:
        monkeypatch.setattr(batches, "PART_TOKENS", part_tokens)
        loaded, schedule = load_model(str(teacher_folder)), Schedule(3, 1e-3)
        settings = SETTINGS | {"batch_tokens": 2048}
        pair = pair_of(loaded, [0, 2])
        if training == "correct":
            losses = correct(loaded.model, sequences, schedule, **settings)  # type: ignore[arg-type]
            return losses, [weight.detach() for weight in loaded.model.parameters()]
        if training == "align":
            losses = align(pair, sequences, schedule, **settings)  # type: ignore[arg-type]
        else:
            losses = distill(pair, DistillationLoss(), sequences, schedule, alignment=2.0, **settings)  # type: ignore[arg-type]
        return losses, [weight.detach() for weight in pair.student.parameters()]

    (losses, whole), (of_parts, parts) = trained(2048), trained(256)
    assert of_parts == pytest.approx(losses, rel=1e-5)
    assert of_parts != losses  # else no batch came in parts
    for one, other in zip(whole, parts, strict=True):
        torch.testing.assert_close(other, one, rtol=0, atol=2e-5)
