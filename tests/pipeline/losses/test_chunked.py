"""A loss in chunks is the loss in one piece, and holds no more than a chunk's logits."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from attar.pipeline import DistillationLoss
from attar.pipeline.losses import DIVERGENCES, chosen_divergence, mean_in_chunks


def gradients(
    loss: DistillationLoss, seed: int, tokens: int, chunk: int | None, *, bias: bool = True, frozen: bool = False
) -> list[Tensor]:
    """Value, and the gradients of hidden states and head."""
    torch.manual_seed(seed)
    head, teacher = nn.Linear(6, 17, bias=bias), torch.randn(tokens, 17)
    hidden, labels = torch.randn(tokens, 6, requires_grad=True), torch.randint(17, (tokens,))
    head.requires_grad_(not frozen)
    if chunk is None:
        value = loss(head(hidden), teacher, labels)
    else:
        value = mean_in_chunks(
            lambda states, place: loss.per_token(head(states), teacher[place], labels[place]),
            hidden,
            list(head.parameters()),
            chunk=chunk,
        )
    (3 * value).backward()
    found = [value.detach(), hidden.grad, *(parameter.grad for parameter in head.parameters() if not frozen)]
    return [one for one in found if one is not None]


@pytest.mark.parametrize("name", sorted(DIVERGENCES))
@settings(max_examples=12, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 30), st.integers(1, 40), st.booleans(), st.booleans())
def test_chunked_equals_unchunked(name: str, seed: int, tokens: int, chunk: int, bias: bool, frozen: bool) -> None:
    loss = DistillationLoss(2.0, 0.6, chosen_divergence(name, {}))
    whole = gradients(loss, seed, tokens, None, bias=bias, frozen=frozen)
    parts = gradients(loss, seed, tokens, chunk, bias=bias, frozen=frozen)
    assert len(whole) == len(parts) == (2 if frozen else 3 + bias)
    assert all(torch.allclose(one, other, atol=1e-6, rtol=1e-5) for one, other in zip(whole, parts, strict=True))


def test_no_more_than_a_chunk_is_computed_at_a_time_and_nothing_twice() -> None:
    sizes: list[int] = []

    def loss_of(states: Tensor, place: slice) -> Tensor:
        sizes.append(len(states))
        return states.square().sum(-1)

    hidden = torch.randn(10, 4, requires_grad=True)
    mean_in_chunks(loss_of, hidden, chunk=4).backward()
    assert sizes == [4, 4, 2]
    assert hidden.grad is not None
    assert torch.allclose(hidden.grad, 2 * hidden.detach() / 10)


def test_without_gradients_there_is_the_value_alone() -> None:
    hidden = torch.randn(5, 4)
    value = mean_in_chunks(lambda states, _: states.sum(-1), hidden, chunk=2)
    assert not value.requires_grad
    assert value.item() == pytest.approx(hidden.sum(-1).mean().item(), abs=1e-6)


def test_half_precision_heads_get_gradients_of_their_kind() -> None:
    head, hidden = nn.Linear(4, 9, bias=False).bfloat16(), torch.randn(5, 4).bfloat16().requires_grad_()
    value = mean_in_chunks(lambda states, _: head(states).float().logsumexp(-1), hidden, [head.weight], chunk=2)
    value.backward()
    assert head.weight.grad is not None and hidden.grad is not None
    assert head.weight.grad.dtype == hidden.grad.dtype == torch.bfloat16
