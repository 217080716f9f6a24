"""Hidden states of unequal width, compared through learned projections."""

from __future__ import annotations

import torch

from attar.pipeline.losses import ProjectedError

MASK = torch.tensor([[True, True, False]])


def states(width: int, seed: int) -> list[torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    return [torch.randn(1, 3, width, generator=random) for _ in range(2)]


def test_value_and_gradient_are_those_of_the_definition() -> None:
    torch.manual_seed(0)
    error, ours, theirs = ProjectedError(4, 6, 2), states(4, 1), states(6, 2)
    value = error(ours, theirs, MASK)
    value.backward()
    exact = [projection.weight.detach().double().requires_grad_() for projection in error.projections]
    by_layer = [
        ((w @ s[0, :2].double().T).T - t[0, :2].double()).pow(2).sum() / 12
        for w, s, t in zip(exact, ours, theirs, strict=True)
    ]
    expected = sum(by_layer) / 2
    expected.backward()
    assert abs(value.item() - expected.item()) < 1e-5
    for projection, weight in zip(error.projections, exact, strict=True):
        assert (projection.weight.grad - weight.grad).abs().max() < 1e-5


def test_padding_changes_nothing() -> None:
    error, ours, theirs = ProjectedError(4, 6, 2), states(4, 1), states(6, 2)
    before = error(ours, theirs, MASK)
    ours[0][0, 2], theirs[1][0, 2] = 1e6, -5.0
    assert error(ours, theirs, MASK) == before


def test_projections_learn_what_is_linear() -> None:
    torch.manual_seed(0)
    error, ours = ProjectedError(4, 6, 2), states(4, 1)
    theirs = [one @ torch.randn(4, 6) for one in ours]
    optimizer = torch.optim.Adam(error.parameters(), 0.1)
    for _ in range(200):
        optimizer.zero_grad()
        error(ours, theirs, MASK).backward()
        optimizer.step()
    assert error(ours, theirs, MASK) < 1e-3
