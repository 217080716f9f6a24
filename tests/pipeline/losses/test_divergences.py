"""Every divergence against its definition in float64, in value and gradient."""

from __future__ import annotations

import json
from typing import get_args

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attar.pipeline import DistillationConfig, DistillationLoss
from attar.pipeline.losses import DIVERGENCES, chosen_divergence
from tests.pipeline.losses.reference import PARAMETERS, REFERENCES, softmax

NAMES = sorted(DIVERGENCES)


def logits(seed: int, tokens: int, vocabulary: int, spread: float) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    student, teacher = torch.randn(2, tokens, vocabulary, generator=random) * spread
    return student, teacher


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    tokens=st.integers(1, 9),
    vocabulary=st.integers(2, 60),
    spread=st.floats(0.01, 6),
    temperature=st.floats(0.5, 4),
    alpha=st.floats(0, 1),
)
def test_value_and_gradient_are_those_of_the_definition(
    name: str, seed: int, tokens: int, vocabulary: int, spread: float, temperature: float, alpha: float
) -> None:
    student, teacher = logits(seed, tokens, vocabulary, spread)
    labels = torch.randint(vocabulary, (tokens,), generator=torch.Generator().manual_seed(seed))
    loss = DistillationLoss(temperature, alpha, chosen_divergence(name, PARAMETERS))
    value = loss(student.requires_grad_(), teacher, labels)
    value.backward()
    exact, target = student.detach().double().requires_grad_(), teacher.double()
    soft = REFERENCES[name](softmax(exact / temperature), softmax(target / temperature)).mean()
    hard = -torch.log(softmax(exact))[range(tokens), labels].mean()
    expected = alpha * temperature**2 * soft + (1 - alpha) * hard
    expected.backward()
    assert value.item() == pytest.approx(expected.item(), rel=1e-5, abs=1e-5)
    assert student.grad is not None and exact.grad is not None
    assert (student.grad - exact.grad).abs().max() < 1e-5


@pytest.mark.parametrize("name", NAMES)
def test_it_is_zero_for_equal_distributions_and_above_for_others(name: str) -> None:
    student, teacher = (torch.log_softmax(one, -1) for one in logits(0, 20, 30, 2.0))
    divergence = chosen_divergence(name, {})
    assert divergence(teacher, teacher).abs().max() < 1e-5
    assert divergence(student, teacher).shape == (20,)
    assert divergence(student, teacher).min() > 0.01


@pytest.mark.parametrize("name", NAMES)
def test_what_the_student_finds_impossible_gives_finite_gradients(name: str) -> None:
    student, teacher = logits(3, 4, 8, 100.0)
    loss = DistillationLoss(1.0, 1.0, chosen_divergence(name, {}))(
        student.requires_grad_(), teacher, torch.zeros(4).long()
    )
    loss.backward()
    assert student.grad is not None and torch.isfinite(student.grad).all()
    assert torch.isfinite(loss)


def test_forward_and_reverse_lie_at_the_ends_of_skew_and_alpha_beta() -> None:
    student, teacher = (torch.log_softmax(one, -1) for one in logits(1, 6, 12, 1.0))
    forward, reverse = (chosen_divergence(name, {})(student, teacher) for name in ("forward_kl", "reverse_kl"))
    near = {"skew": 1e-6, "beta": 1e-4, "powers": (1.0, 1e-3)}
    assert torch.allclose(chosen_divergence("skew_forward_kl", near)(student, teacher), forward, rtol=1e-2)
    assert torch.allclose(chosen_divergence("skew_reverse_kl", near)(student, teacher), reverse, rtol=1e-2)
    assert torch.allclose(chosen_divergence("jensen_shannon", near)(student, teacher) / 1e-4, forward, rtol=2e-2)
    assert torch.allclose(chosen_divergence("alpha_beta", near)(student, teacher), forward, rtol=2e-2)


def test_every_divergence_can_be_named_in_a_config() -> None:
    named = get_args(DistillationConfig.model_fields["loss"].annotation)
    assert sorted(named) == NAMES == sorted(REFERENCES)


def test_a_configs_parameters_reach_the_divergence() -> None:
    from attar.pipeline import ModelDistiller

    text = json.dumps({"teacher_model_name": "x", "loss": "alpha_beta", "loss_powers": [0.4, 0.5], "temperature": 1.0})
    loss = ModelDistiller(DistillationConfig.model_validate_json(text)).loss
    student, teacher = (torch.log_softmax(one, -1) for one in logits(2, 5, 7, 1.0))
    expected = REFERENCES["alpha_beta"](student.exp(), teacher.exp())
    assert torch.allclose(loss.divergence(student, teacher), expected, atol=1e-5)
