"""Rounded weights read back within what rounding allows, and 4 bits leave less error than plain rounding does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from attar.pipeline.export.rounding import (
    BLOCK,
    restore_channels,
    round_blocks,
    round_channels,
    round_compensated,
)

MATRICES = st.one_of(st.integers(1, 70), st.sampled_from([64, 128])).flatmap(
    lambda width: arrays(np.float32, (3, width), elements=st.floats(-10, 10, width=32))
)


def random(kind: str, rows: int = 64, width: int = 256) -> np.ndarray:
    rng = np.random.default_rng(0)
    drawn = {
        "normal": rng.normal(size=(rows, width)),
        "heavy tails": rng.standard_t(2, size=(rows, width)),
        "shifted": rng.normal(size=(rows, width)) + 3,
        "one sided": rng.exponential(size=(rows, width)),
    }
    return drawn[kind].astype(np.float32)


KINDS = ["normal", "heavy tails", "shifted", "one sided"]


def half(scales: np.ndarray) -> np.ndarray:
    """Scales in bfloat16, as graphs keep those of 4 bits."""
    return ((scales.astype(np.float32).view(np.uint32) + 0x8000) & 0xFFFF0000).view(np.float32)


def plain(values: np.ndarray) -> np.ndarray:
    """The scale of each block's largest value, levels -7 to 7."""
    blocks = values.reshape(len(values), -1, BLOCK)
    scales = half(np.abs(blocks).max(-1, keepdims=True) / 7)
    levels = np.rint(blocks / np.where(scales > 0, scales, 1))
    return (levels * scales).reshape(values.shape)


def ranged(values: np.ndarray) -> np.ndarray:
    """Each block's range in 15 steps, 0 on one of them."""
    blocks = values.reshape(len(values), -1, BLOCK)
    low, high = (np.minimum(blocks.min(-1, keepdims=True), 0), np.maximum(blocks.max(-1, keepdims=True), 0))
    steps = half((high - low) / 15)
    scales = np.where(steps > 0, steps, 1)  # a fifteenth of the smallest float is 0
    zeros = np.rint(-low / scales)
    levels = np.clip(np.rint(blocks / scales) + zeros, 0, 15)
    return ((levels - zeros) * scales).reshape(values.shape)


def block_errors(found: np.ndarray, values: np.ndarray, importance: np.ndarray | float = 1.0) -> np.ndarray:
    return (np.square(found - values) * importance).reshape(len(values), -1, BLOCK).sum(-1)


@settings(max_examples=100, deadline=None)
@given(MATRICES, st.sampled_from([8, 4]), st.sampled_from([BLOCK, 64]))
def test_blocks_read_back_within_what_their_scales_allow(values: np.ndarray, bits: int, wanted: int) -> None:
    found = round_blocks(values, bits, wanted=wanted)
    width, block = values.shape[1], found.block
    assert block == (wanted if values.shape[1] % wanted == 0 else BLOCK)
    blocks = -(-width // block)
    assert found.levels.shape == (3, blocks, block * bits // 8)
    assert found.scales.shape == (3, blocks)
    assert found.zeros is None or found.zeros.shape == (3, -(-blocks // 2))
    steps = np.repeat(np.abs(found.scales), block, axis=1)[:, :width]
    error = np.abs(found.restored() - values)
    allowed = {8: 0.5001, 4: 7.0}[bits]  # 4 bits may cut off large values, where that leaves less error in all
    assert (error <= allowed * steps + 1e-6).all()


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 4).flatmap(lambda n: arrays(np.float32, (3, BLOCK * n), elements=st.floats(-10, 10, width=32))))
def test_no_block_is_worse_than_plain_rounding_whatever_it_holds(values: np.ndarray) -> None:
    found = block_errors(round_blocks(values, 4).restored(), values)
    assert (found <= block_errors(plain(values), values) * 1.0001 + 1e-9).all()
    assert (found <= block_errors(ranged(values), values) * 1.0001 + 1e-9).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_search_leaves_much_less_error_than_plain_rounding(kind: str) -> None:
    values = random(kind)
    found = block_errors(round_blocks(values, 4).restored(), values)
    assert found.sum() < 0.85 * block_errors(plain(values), values).sum()
    assert found.sum() < 0.96 * block_errors(ranged(values), values).sum()


@pytest.mark.parametrize("kind", KINDS)
def test_columns_that_count_more_are_kept_better(kind: str) -> None:
    values = random(kind)
    importance = np.random.default_rng(1).exponential(size=values.shape[1]).astype(np.float32) ** 2
    told, untold = (round_blocks(values, 4, given).restored() for given in (importance, None))
    assert block_errors(told, values, importance).sum() < 0.95 * block_errors(untold, values, importance).sum()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("width", "wanted"), [(256, BLOCK), (256, 64), (80, 64)])
def test_compensation_keeps_the_product_closer_on_inputs_like_those_seen(kind: str, width: int, wanted: int) -> None:
    values, rng = random(kind, width=width), np.random.default_rng(2)
    inputs = (rng.normal(size=(1000, width // 4)) @ rng.normal(size=(width // 4, width))).astype(np.float32)
    seen, unseen = inputs[:800], inputs[800:]
    found = round_compensated(values, (seen.T @ seen / len(seen)).astype(np.float32), wanted=wanted).restored()
    searched = round_blocks(values, 4, wanted=wanted).restored()
    expected = unseen @ values.T
    assert np.square(unseen @ found.T - expected).mean() < 0.5 * np.square(unseen @ searched.T - expected).mean()


def test_inputs_that_were_never_seen_compensate_nothing() -> None:
    values = random("normal")
    error = np.abs(round_compensated(values, np.zeros((256, 256), np.float32)).restored() - values)
    assert error.max() < np.abs(values).max() / 4


@settings(max_examples=100, deadline=None)
@given(MATRICES)
def test_channels_read_back_within_half_a_step(values: np.ndarray) -> None:
    levels, scales = round_channels(values)
    assert np.abs(levels.astype(int)).max() <= 127
    error = np.abs(restore_channels(levels, scales) - values)
    assert (error <= 0.5001 * scales[:, None] + 1e-6).all()


@pytest.mark.parametrize("bits", [8, 4])
def test_zeros_stay_zeros(bits: int) -> None:
    assert (round_blocks(np.zeros((2, 40), np.float32), bits).restored() == 0).all()


@settings(max_examples=100, deadline=None)
@given(MATRICES, st.sampled_from([8, 4]))
def test_what_is_rounded_is_rounded_to_itself(values: np.ndarray, bits: int) -> None:
    once = round_blocks(values, bits).restored()
    assert np.array_equal(round_blocks(once, bits).restored(), once)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [256, 80])
def test_inputs_change_nothing_of_what_is_rounded(kind: str, width: int) -> None:
    inputs = np.random.default_rng(2).normal(size=(1000, width)).astype(np.float32)
    once = round_blocks(random(kind, width=width), 4).restored()
    assert np.array_equal(round_compensated(once, inputs.T @ inputs / len(inputs)).restored(), once)


@settings(max_examples=100, deadline=None)
@given(MATRICES)
def test_channels_are_rounded_to_themselves(values: np.ndarray) -> None:
    once = restore_channels(*round_channels(values))
    assert np.array_equal(restore_channels(*round_channels(once)), once)
