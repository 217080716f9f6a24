"""Sparse signals: with all tokens the dense loss, with fewer a coarser look at the same distribution."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attar.pipeline import DistillationLoss
from attar.pipeline.losses import DIVERGENCES, chosen_divergence, sparse_targets
from attar.runtime.errors import UsageError
from tests.pipeline.losses.reference import PARAMETERS, REFERENCES, softmax
from tests.pipeline.losses.test_divergences import logits

NAMES = sorted(DIVERGENCES)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), vocabulary=st.integers(2, 40), temperature=st.floats(1, 4))
def test_with_all_tokens_it_equals_the_dense_loss(name: str, seed: int, vocabulary: int, temperature: float) -> None:
    student, teacher = logits(seed, 6, vocabulary, 1.5)
    labels = torch.zeros(6, dtype=torch.long)
    loss = DistillationLoss(temperature, 0.7, chosen_divergence(name, PARAMETERS))
    values, gradients = [], []
    for target in (teacher, sparse_targets(teacher, vocabulary, temperature)):
        ours = student.clone().requires_grad_()
        value = loss.per_token(ours, target, labels).mean()
        value.backward()
        assert ours.grad is not None
        values.append(value.item())
        gradients.append(ours.grad)
    assert values[0] == pytest.approx(values[1], rel=1e-6, abs=1e-6)
    assert (gradients[0] - gradients[1]).abs().max() < 1e-6


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("k", [1, 4, 29])
def test_fewer_tokens_give_the_divergence_over_them_and_one_bucket(name: str, k: int) -> None:
    student, teacher = logits(5, 7, 30, 2.0)
    loss = DistillationLoss(2.0, 1.0, chosen_divergence(name, PARAMETERS))
    value = loss.per_token(student.requires_grad_(), sparse_targets(teacher, k, 2.0), torch.zeros(7).long())
    value.sum().backward()
    exact = student.detach().double().requires_grad_()
    q, p = softmax(exact / 2), softmax(teacher.double() / 2)
    chosen = p.argsort(-1, descending=True)[:, :k]
    q, p = (torch.cat([x.gather(1, chosen), 1 - x.gather(1, chosen).sum(1, keepdim=True)], 1) for x in (q, p))
    expected = 4 * REFERENCES[name](q, p)
    expected.sum().backward()
    assert (value - expected).abs().max() < 1e-5
    assert student.grad is not None and exact.grad is not None
    assert (student.grad - exact.grad).abs().max() < 1e-5


@pytest.mark.parametrize("name", [name for name in NAMES if name != "alpha_beta"])
def test_more_tokens_never_show_less(name: str) -> None:
    student, teacher = logits(6, 50, 30, 2.0)
    loss = DistillationLoss(1.0, 1.0, chosen_divergence(name, {}))
    labels = torch.zeros(50).long()
    values = [loss.per_token(student, sparse_targets(teacher, k, 1.0), labels) for k in (1, 3, 10, 30)]
    assert all((more >= less - 1e-5).all() for less, more in pairwise(values))


def test_a_tail_that_is_nothing_costs_nothing_and_breaks_nothing() -> None:
    teacher = torch.tensor([[300.0, 0.0, -300.0, -900.0]])
    student = torch.zeros(1, 4).requires_grad_()
    targets = sparse_targets(teacher, 1, 1.0)
    value = DistillationLoss(1.0, 1.0).per_token(student, targets, torch.tensor([0]))
    value.sum().backward()
    assert value.item() == pytest.approx(torch.log(torch.tensor(4.0)).item(), abs=1e-5)
    assert student.grad is not None and torch.isfinite(student.grad).all()


def test_the_log_sum_exp_makes_logits_of_log_probabilities_again() -> None:
    _, teacher = logits(7, 5, 20, 3.0)
    targets = sparse_targets(teacher, 4, 2.0)
    again = (targets.log_probs + targets.log_sum_exp[:, None]) * 2.0
    assert (again - teacher.gather(1, targets.ids)).abs().max() < 1e-5


def test_signals_of_another_temperature_are_refused() -> None:
    student, teacher = logits(8, 2, 5, 1.0)
    with pytest.raises(UsageError, match="temperature 1 and can't be used at 2"):
        DistillationLoss(2.0).per_token(student, sparse_targets(teacher, 2, 1.0), torch.zeros(2).long())
