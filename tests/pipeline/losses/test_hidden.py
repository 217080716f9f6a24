"""How far hidden states are apart."""

from __future__ import annotations

import torch

from attar.pipeline.losses import cosine_distance, relative_error

MASK = torch.tensor([[True, True, False]])


def states() -> list[torch.Tensor]:
    torch.manual_seed(0)
    return [torch.randn(1, 3, 8) for _ in range(2)]


def test_equal_states_are_no_distance_apart_and_opposite_ones_two() -> None:
    ours = states()
    assert cosine_distance(ours, ours, MASK).abs() < 1e-6
    assert (cosine_distance(ours, [-s for s in ours], MASK) - 2).abs() < 1e-6
    assert relative_error(ours, ours, MASK) == 0


def test_length_counts_in_the_relative_error_only() -> None:
    ours = states()
    longer = [2 * s for s in ours]
    assert cosine_distance(ours, longer, MASK).abs() < 1e-6
    assert (relative_error(longer, ours, MASK) - 1).abs() < 1e-6


def test_padding_changes_nothing() -> None:
    ours, theirs = states(), states()[::-1]
    before = cosine_distance(ours, theirs, MASK), relative_error(ours, theirs, MASK)
    ours[0][0, 2] = 1e6
    theirs[1][0, 2] = -5
    assert (cosine_distance(ours, theirs, MASK), relative_error(ours, theirs, MASK)) == before


def test_one_huge_activation_does_not_rule() -> None:
    ours, theirs = states(), states()
    theirs[0] = theirs[0] * torch.tensor([1.0, 1e4, 1.0])[None, :, None]
    assert 0.2 < relative_error(ours, theirs, MASK) < 0.3  # one token of four is all wrong
