"""Sampled signals: a few drawn tokens, and on average the dense loss and its gradient."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from attar.pipeline import DistillationLoss
from attar.pipeline.losses import DIVERGENCES, SampledTargets, chosen_divergence, sampled_targets, sparse_targets
from attar.runtime.errors import UsageError
from tests.pipeline.losses.test_divergences import logits

LABELS = torch.zeros(1, dtype=torch.long)


def gradient_of(student: Tensor, teacher: Tensor | SampledTargets, loss: DistillationLoss) -> tuple[float, Tensor]:
    """Mean loss and its gradient, of one student's logits ``[1, V]`` against however many targets."""
    ours = student.clone().requires_grad_()
    count = len(teacher) if isinstance(teacher, Tensor) else len(teacher.ids)
    value = loss.per_token(ours.expand(count, -1), teacher, LABELS.expand(count)).mean()
    value.backward()
    assert ours.grad is not None
    return value.item(), ours.grad


def drawn(teacher: Tensor, k: int, temperature: float, offsets: Tensor) -> SampledTargets:
    return sampled_targets(teacher.expand(len(offsets), -1), k, temperature, offsets)


@pytest.mark.parametrize("temperature", [1.0, 2.0])
@pytest.mark.parametrize("k", [1, 4, 16])
def test_the_mean_over_draws_converges_to_the_dense_loss_and_gradient(k: int, temperature: float) -> None:
    student, teacher = logits(3, 1, 40, 2.0)
    loss = DistillationLoss(temperature, 1.0)
    value, dense = gradient_of(student, teacher, loss)
    previous = float("inf")
    for draws in (10, 100, 1000, 10_000):
        offsets = (torch.arange(draws) + 0.5) / draws  # every draw that there is, more and more finely
        mean, gradient = gradient_of(student, drawn(teacher, k, temperature, offsets), loss)
        apart = max(float((gradient - dense).abs().max()), abs(mean - value))
        assert apart < max(previous, 1e-5)
        previous = apart
    assert previous < 2e-3


def test_random_draws_are_as_near_as_their_spread_allows() -> None:
    student, teacher = logits(4, 1, 30, 2.0)
    loss, count = DistillationLoss(1.0, 1.0), 40_000
    _, dense = gradient_of(student, teacher, loss)
    offsets = torch.rand(count, generator=torch.Generator().manual_seed(0))
    targets = drawn(teacher, 8, 1.0, offsets)
    _, mean = gradient_of(student, targets, loss)
    shares = torch.zeros(count, 30).scatter_add_(1, targets.ids, torch.full((count, 8), 1 / 8))
    error = shares.std(0) / count**0.5  # of the mean gradient, token by token: student's share less the draws'
    assert ((mean - dense).abs() < 4 * error + 1e-6).all()


def test_the_most_likely_tokens_and_a_bucket_are_not_right_on_average() -> None:
    student, teacher = logits(3, 1, 40, 2.0)
    loss = DistillationLoss(1.0, 1.0)
    ours, theirs = student.clone().requires_grad_(), student.clone().requires_grad_()
    loss.per_token(ours, sparse_targets(teacher, 4, 1.0), LABELS).sum().backward()
    loss.per_token(theirs, teacher, LABELS).sum().backward()
    assert ours.grad is not None and theirs.grad is not None
    assert (ours.grad - theirs.grad).abs().max() > 0.02


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), k=st.integers(1, 40), vocabulary=st.integers(2, 60), offset=st.floats(0, 0.999))
def test_a_token_is_drawn_as_often_as_it_is_likely_give_or_take_one(
    seed: int, k: int, vocabulary: int, offset: float
) -> None:
    _, teacher = logits(seed, 3, vocabulary, 2.0)
    targets = sampled_targets(teacher, k, 1.0, torch.full((3,), offset))
    counts = torch.zeros(3, vocabulary).scatter_add_(1, targets.ids, torch.ones(3, k))
    assert targets.ids.shape == (3, k)
    assert ((counts - k * teacher.softmax(-1)).abs() < 1 + 1e-3).all()


def test_the_entropy_is_that_of_the_whole_distribution() -> None:
    _, teacher = logits(5, 6, 30, 2.0)
    targets = sampled_targets(teacher, 2, 2.0, torch.zeros(6))
    exact = torch.distributions.Categorical(logits=teacher.double() / 2).entropy()
    assert (targets.entropy - exact).abs().max() < 1e-5


def test_an_impossible_token_is_never_drawn_and_breaks_nothing() -> None:
    teacher = torch.tensor([[-float("inf"), 0.0, -float("inf"), 1.0, -float("inf")]]).expand(50, -1)
    targets = sampled_targets(teacher, 3, 1.0, torch.arange(50) / 50)
    assert set(targets.ids.unique().tolist()) == {1, 3}
    assert torch.isfinite(targets.entropy).all()


@pytest.mark.parametrize("name", sorted(set(DIVERGENCES) - {"forward_kl"}))
def test_divergences_that_are_not_linear_in_the_teacher_are_refused(name: str) -> None:
    student, teacher = logits(6, 2, 9, 1.0)
    targets = sampled_targets(teacher, 2, 1.0, torch.zeros(2))
    with pytest.raises(UsageError, match="forward KL alone") as caught:
        DistillationLoss(1.0, 0.5, chosen_divergence(name, {})).per_token(student, targets, LABELS.expand(2))
    assert caught.value.next_step


def test_draws_at_another_temperature_are_refused() -> None:
    student, teacher = logits(7, 2, 9, 1.0)
    targets = sampled_targets(teacher, 2, 1.0, torch.zeros(2))
    with pytest.raises(UsageError, match="temperature 1 and can't be used at 2"):
        DistillationLoss(2.0).per_token(student, targets, LABELS.expand(2))
    DistillationLoss(1.0, 0.5, chosen_divergence("forward_kl", {})).per_token(student, targets, LABELS.expand(2))
