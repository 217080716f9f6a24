"""What the training loss depends on: the teacher where answers are predicted, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from attar.pipeline import DistillationLoss
from attar.pipeline.data.render import RenderedSample
from attar.pipeline.losses import DIVERGENCES, chosen_divergence
from attar.pipeline.student import cut
from attar.pipeline.teacher import load_model
from attar.pipeline.training.batches import Batch, collate, pack
from attar.pipeline.training.distillation import Pair, answer_loss
from attar.pipeline.training.forward import answer_states, head_logits, run_body

RECORD = (1, 90, 91, 92, 93, 94)
FIRST = pack(
    [
        RenderedSample("a", "r", (*RECORD, 100, 101, 2), (50, 51, 2)),
        RenderedSample("b", "r", (*RECORD, 120, 2), (70, 71, 72, 2)),
    ]
)
SECOND = pack([RenderedSample("c", "s", (1, 80, 81, *range(100, 130), 2), (40, 2))])


@pytest.fixture(scope="module")
def pair(teacher_folder: Path) -> Pair:
    teacher = load_model(str(teacher_folder))
    teacher.model.requires_grad_(False).eval()
    return Pair.of(teacher.model, cut(teacher.model, [0, 3]), teacher.tokenizer.vocabulary_size, is_cut=True)


def states_of(model: nn.Module, batch: Batch) -> Tensor:
    hidden: Tensor = run_body(model, batch).last_hidden_state  # type: ignore[arg-type]
    return hidden


def loss_of(pair: Pair, batch: Batch, loss: nn.Module, change: Tensor | None = None) -> Tensor:
    """The loss on a batch, the teacher's hidden states changed where the mask says."""
    teacher = states_of(pair.teacher, batch)
    if change is not None:
        teacher = torch.where(change[..., None], torch.randn_like(teacher), teacher)
    student = states_of(pair.student, batch)
    logits = head_logits(pair.teacher, answer_states(teacher, batch))[:, : pair.vocabulary_size]
    return answer_loss(pair, loss, answer_states(student, batch), logits.__getitem__, batch.labels)


def gradients(pair: Pair) -> list[Tensor]:
    return [p.grad.clone() for p in pair.student.parameters() if p.grad is not None]


def predicting(batch: Batch) -> Tensor:
    mask = torch.zeros_like(batch.real)
    mask[batch.rows, batch.columns] = True
    return mask


@pytest.mark.parametrize("name", sorted(DIVERGENCES))
def test_only_the_teacher_at_answer_positions_counts(pair: Pair, name: str) -> None:
    batch = collate([FIRST, SECOND])
    loss = DistillationLoss(2.0, 0.5, chosen_divergence(name, {}))
    before = loss_of(pair, batch, loss)
    assert torch.equal(loss_of(pair, batch, loss, ~predicting(batch)), before)
    for sample_start in (0, 3, 7):  # the first answer token of each sample
        first = torch.zeros_like(batch.real)
        first[batch.rows[sample_start], batch.columns[sample_start]] = True
        assert abs(loss_of(pair, batch, loss, first) - before) > 1e-5


def test_the_first_answer_token_is_predicted_by_the_prompts_last(pair: Pair) -> None:
    batch = collate([FIRST])
    assert [batch.input_ids[0, batch.columns[place]].item() for place in (0, 3)] == [2, 2]
    assert [batch.labels[place].item() for place in (0, 3)] == [50, 70]


def test_padding_changes_nothing(pair: Pair) -> None:
    batch, loss = collate([FIRST]), DistillationLoss()
    alone = loss_of(pair, batch, loss)
    beside = collate([FIRST, SECOND])  # longer, so the first is padded
    assert beside.input_ids.shape[1] > batch.input_ids.shape[1]
    kept = beside.rows == 0
    only = replace(beside, rows=beside.rows[kept], columns=beside.columns[kept], labels=beside.labels[kept])
    assert abs(loss_of(pair, only, loss) - alone) < 1e-5
    other = torch.where(batch.real, batch.input_ids, 77)
    assert torch.equal(loss_of(pair, replace(batch, input_ids=other), loss), alone)


def test_accumulated_gradients_equal_those_of_one_large_batch(pair: Pair) -> None:
    loss, parts, whole = DistillationLoss(), [collate([FIRST]), collate([SECOND])], collate([FIRST, SECOND])
    pair.student.zero_grad()
    loss_of(pair, whole, loss).backward()  # type: ignore[no-untyped-call]
    large = gradients(pair)
    pair.student.zero_grad()
    for part in parts:
        (loss_of(pair, part, loss) * (len(part.labels) / len(whole.labels))).backward()  # type: ignore[no-untyped-call]
    assert large
    for one, other in zip(large, gradients(pair), strict=True):
        assert (one - other).abs().max() < 1e-5 * max(1.0, float(one.abs().max()))


@pytest.mark.parametrize("frozen", [True, False])
def test_a_loss_by_token_gives_what_the_same_loss_in_one_piece_gives(pair: Pair, frozen: bool) -> None:
    class InOnePiece(DistillationLoss):
        def forward(self, student_logits: Tensor, teacher_logits: Tensor, labels: Tensor) -> Tensor:
            return self.per_token(student_logits, teacher_logits, labels).mean()

    batch = collate([FIRST, SECOND])
    pair.student.get_input_embeddings().requires_grad_(not frozen)
    found = []
    for loss in (DistillationLoss(), InOnePiece()):
        pair.student.zero_grad()
        value = loss_of(pair, batch, loss)
        value.backward()  # type: ignore[no-untyped-call]
        found.append([value.detach(), *gradients(pair)])
    pair.student.requires_grad_(True)
    assert len(found[0]) == len(found[1])
    assert all(torch.allclose(one, other, atol=1e-5) for one, other in zip(*found, strict=True))
