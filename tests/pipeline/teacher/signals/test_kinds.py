"""What is stored of a distribution is that distribution again, as well as its bits allow."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attar.pipeline.losses import SparseTargets, sparse_targets
from attar.pipeline.teacher.signals import KINDS
from tests.pipeline.losses.test_divergences import logits


def kept(targets: SparseTargets, numbers: torch.dtype) -> SparseTargets:
    stored = {
        name: values if name == "ids" else values.to(numbers).float()
        for name, values in KINDS["top_k"].store(targets).items()
    }
    again = KINDS["top_k"].restore(stored, targets.temperature)
    assert isinstance(again, SparseTargets)
    return again


@pytest.mark.parametrize(("numbers", "near"), [(torch.float32, 1e-6), (torch.float16, 2e-3)])
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), vocabulary=st.integers(2, 200), k=st.integers(1, 200), spread=st.floats(0.1, 20))
def test_probabilities_come_back(
    numbers: torch.dtype, near: float, seed: int, vocabulary: int, k: int, spread: float
) -> None:
    _, teacher = logits(seed, 5, vocabulary, spread)
    exact = sparse_targets(teacher, min(k, vocabulary), 2.0)
    again = kept(exact, numbers)
    assert torch.equal(again.ids, exact.ids)
    assert (again.log_probs.exp() - exact.log_probs.exp()).abs().max() < near
    assert (again.log_tail.exp() - exact.log_tail.exp()).abs().max() < near
    total = again.log_probs.exp().sum(-1) + again.log_tail.exp()
    assert (total - 1).abs().max() < 1e-5
    assert (again.log_probs[:, :1] >= again.log_probs - 1e-6).all()


@pytest.mark.parametrize("k", [1, 3])
def test_a_teacher_that_is_quite_sure_and_one_that_knows_nothing(k: int) -> None:
    for teacher in (torch.tensor([[90.0, 0.0, 1.0, -900.0]]), torch.zeros(1, 4)):
        exact = sparse_targets(teacher, k, 1.0)
        again = kept(exact, torch.float16)
        assert (again.log_probs.exp() - exact.log_probs.exp()).abs().max() < 1e-3
        assert torch.isfinite(again.log_probs).all() and torch.isfinite(again.log_tail).all()
