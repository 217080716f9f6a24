"""Weights as small integers and their scales, and back: pure functions on numpy arrays.

Does not know graphs, or which weights are rounded how.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["BLOCK", "restore_blocks", "restore_channels", "round_blocks", "round_channels"]

BLOCK = 32
"""Weights that share a scale; the one size that all of onnxruntime's block-wise kernels are fast for."""
_ROWS = 4096
_CANDIDATES = np.linspace(0.75, 1.0, 12, dtype=np.float32)


def round_blocks(values: NDArray[np.float32], bits: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Round ``[N, K]`` rows in blocks, as MatMulNBits and GatherBlockQuantized read them.

    4 bits take, of several scales, the one that leaves the least squared error in its block.

    Returns:
        ``[N, ceil(K / 32), 4 * bits]`` bytes, the zero in the middle of the range (two 4-bit values a byte, the
        lower first), and ``[N, ceil(K / 32)]`` scales.
    """
    rows, width = values.shape
    blocks = np.zeros((rows, -(-width // BLOCK) * BLOCK), np.float32)
    blocks[:, :width] = values
    blocks = blocks.reshape(rows, -1, BLOCK)
    middle = 1 << (bits - 1)
    parts = []
    for start in range(0, rows, _ROWS):
        part = blocks[start : start + _ROWS]
        parts.append(
            _searched(part, middle) if bits == 4 else _nearest(part, np.abs(part).max(-1) / (middle - 1), middle)
        )
    levels = np.concatenate([part[0] for part in parts])
    scales = np.concatenate([part[1] for part in parts])
    unsigned = (levels + middle).astype(np.uint8)
    if bits == 4:
        unsigned = unsigned[..., ::2] | (unsigned[..., 1::2] << np.uint8(4))
    return unsigned, scales


def restore_blocks(
    levels: NDArray[np.uint8], scales: NDArray[np.float32], bits: int, width: int
) -> NDArray[np.float32]:
    """The ``[N, K]`` values that :func:`round_blocks` stands for."""
    if bits == 4:
        levels = np.stack([levels & 15, levels >> 4], -1).reshape(*levels.shape[:2], BLOCK)
    values = (levels.astype(np.float32) - (1 << (bits - 1))) * scales[..., None]
    restored: NDArray[np.float32] = values.reshape(len(values), -1)[:, :width]
    return restored


def round_channels(values: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Round ``[N, K]`` rows, each with one scale, to signed 8 bits; returns them and ``[N]`` scales."""
    scales = np.abs(values).max(-1) / 127
    return _nearest(values[:, None], scales[:, None], 128)[0][:, 0].astype(np.int8), scales.astype(np.float32)


def restore_channels(levels: NDArray[np.int8], scales: NDArray[np.float32]) -> NDArray[np.float32]:
    """The ``[N, K]`` values that :func:`round_channels` stands for."""
    return levels.astype(np.float32) * scales[:, None]


def _nearest(
    blocks: NDArray[np.float32], scales: NDArray[np.float32], middle: int
) -> tuple[NDArray[np.int16], NDArray[np.float32]]:
    safe = np.where(scales == 0, 1, scales)
    levels = np.clip(np.rint(blocks / safe[..., None]), -middle, middle - 1)
    return levels.astype(np.int16), scales.astype(np.float32)


def _searched(blocks: NDArray[np.float32], middle: int) -> tuple[NDArray[np.int16], NDArray[np.float32]]:
    """The best of scales that give the largest value the lowest level, which has no positive counterpart."""
    place = np.abs(blocks).argmax(-1)[..., None]
    extreme = (np.take_along_axis(blocks, place, -1)[..., 0] / -middle).astype(np.float32)
    best, error = extreme, np.full(extreme.shape, np.inf, np.float32)
    for candidate in _CANDIDATES:
        scales = extreme * candidate
        levels, _ = _nearest(blocks, scales, middle)
        found = np.square(levels * scales[..., None] - blocks).sum(-1)
        best, error = np.where(found < error, scales, best).astype(np.float32), np.minimum(found, error)
    return _nearest(blocks, best, middle)
