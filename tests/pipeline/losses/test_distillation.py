"""The distillation loss against float64 arithmetic written out."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attar.pipeline import DistillationLoss


def by_hand(student: torch.Tensor, teacher: torch.Tensor, labels: torch.Tensor, t: float, alpha: float) -> torch.Tensor:
    p = torch.exp(teacher / t) / torch.exp(teacher / t).sum(-1, keepdim=True)
    q = torch.exp(student / t) / torch.exp(student / t).sum(-1, keepdim=True)
    soft = (p * (p / q).log()).sum(-1).mean()
    hard = -(torch.exp(student) / torch.exp(student).sum(-1, keepdim=True)).log()[range(len(labels)), labels].mean()
    return alpha * t * t * soft + (1 - alpha) * hard


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.5, 4), st.floats(0, 1))
def test_value_and_gradient_are_those_of_the_definition(seed: int, temperature: float, alpha: float) -> None:
    torch.manual_seed(seed)
    student, teacher, labels = torch.randn(5, 11) * 3, torch.randn(5, 11) * 3, torch.randint(11, (5,))
    student.requires_grad_()
    value = DistillationLoss(temperature, alpha)(student, teacher, labels)
    value.backward()
    exact = student.detach().double().requires_grad_()
    expected = by_hand(exact, teacher.double(), labels, temperature, alpha)
    expected.backward()
    assert value.item() == pytest.approx(expected.item(), abs=1e-5)
    assert student.grad is not None and exact.grad is not None
    assert (student.grad - exact.grad).abs().max() < 1e-5


def test_a_student_equal_to_its_teacher_has_no_soft_loss() -> None:
    logits = torch.randn(4, 9)
    assert DistillationLoss(2.0, alpha=1.0)(logits, logits, torch.zeros(4, dtype=torch.long)).abs() < 1e-6


def test_temperature_squared_keeps_the_size_of_the_gradient() -> None:
    torch.manual_seed(0)
    teacher, labels = torch.randn(64, 50), torch.zeros(64, dtype=torch.long)
    norms = []
    for temperature in (1.0, 8.0):
        student = torch.randn(64, 50, generator=torch.Generator().manual_seed(1)).requires_grad_()
        DistillationLoss(temperature, alpha=1.0)(student, teacher, labels).backward()
        assert student.grad is not None
        norms.append(float(student.grad.norm()))
    assert 0.3 < norms[1] / norms[0] < 3  # without T² it would be 64 times smaller


def test_without_a_soft_term_the_teacher_has_no_say_and_need_not_be_asked() -> None:
    torch.manual_seed(0)
    student, teacher, labels = torch.randn(5, 11), torch.randn(5, 11), torch.randint(11, (5,))
    loss = DistillationLoss(alpha=0.0)
    assert not loss.asks_teacher and DistillationLoss(alpha=0.1).asks_teacher
    assert torch.equal(loss.per_token(student, None, labels), loss.per_token(student, teacher, labels))


def test_a_loss_of_ones_own_is_always_asked_for_with_a_teacher() -> None:
    class Own(DistillationLoss):
        def per_token(self, student_logits: torch.Tensor, teacher: object, labels: torch.Tensor) -> torch.Tensor:
            return student_logits.sum(-1)

    assert Own(alpha=0.0).asks_teacher
