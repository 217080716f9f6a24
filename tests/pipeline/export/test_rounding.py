"""Rounded weights read back within what rounding allows, whatever they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from attar.pipeline.export.rounding import BLOCK, restore_blocks, restore_channels, round_blocks, round_channels

MATRICES = st.integers(1, 70).flatmap(
    lambda width: arrays(np.float32, (3, width), elements=st.floats(-10, 10, width=32))
)


@settings(max_examples=100, deadline=None)
@given(MATRICES, st.sampled_from([8, 4]))
def test_blocks_read_back_within_what_their_scales_allow(values: np.ndarray, bits: int) -> None:
    levels, scales = round_blocks(values, bits)
    width = values.shape[1]
    blocks = -(-width // BLOCK)
    assert levels.shape == (3, blocks, BLOCK * bits // 8)
    assert scales.shape == (3, blocks)
    steps = np.repeat(np.abs(scales), BLOCK, axis=1)[:, :width]
    error = np.abs(restore_blocks(levels, scales, bits, width) - values)
    allowed = {8: 0.5001, 4: 4.0}[bits]  # 4 bits may cut off large values, where that leaves less error in all
    assert (error <= allowed * steps + 1e-6).all()


@settings(max_examples=100, deadline=None)
@given(MATRICES)
def test_channels_read_back_within_half_a_step(values: np.ndarray) -> None:
    levels, scales = round_channels(values)
    assert np.abs(levels.astype(int)).max() <= 127
    error = np.abs(restore_channels(levels, scales) - values)
    assert (error <= 0.5001 * scales[:, None] + 1e-6).all()


def test_the_search_leaves_less_error_than_the_scale_of_the_largest_value() -> None:
    values = np.random.default_rng(0).normal(size=(64, 256)).astype(np.float32)
    blocks = values.reshape(64, -1, BLOCK)
    scales = np.abs(blocks).max(-1, keepdims=True) / 7
    plain = np.square(np.rint(blocks / scales) * scales - blocks).mean()
    searched = np.square(restore_blocks(*round_blocks(values, 4), 4, 256) - values).mean()
    assert searched < 0.85 * plain


@pytest.mark.parametrize("bits", [8, 4])
def test_zeros_stay_zeros(bits: int) -> None:
    levels, scales = round_blocks(np.zeros((2, 40), np.float32), bits)
    assert (restore_blocks(levels, scales, bits, 40) == 0).all()
