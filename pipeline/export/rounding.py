"""Weights as small integers and their scales, and back: pure functions on numpy arrays.

A scale's last bits are 0, so that a level times its scale is exact in fp32, and weights that were rounded once are
found again: rounding them anew changes nothing. Those of 4-bit blocks are left as many as bfloat16 has, which is how
they are kept. Does not know graphs, or which weights are rounded how.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BLOCK",
    "TINY",
    "Blocked",
    "block_in",
    "restore_channels",
    "round_blocks",
    "round_channels",
    "round_compensated",
]

BLOCK = 32
"""Weights that share a scale, where nothing else is wanted: the one size that all of onnxruntime's block-wise kernels
are fast for."""
_ROWS = 1024
_HALF = 16
"""The bits by which fp32 is longer than bfloat16."""
_SHRINKS = np.linspace(1.0, 0.7, 7, dtype=np.float32)
_REFITS = 3
_DAMPING = 0.01
TINY = float(np.finfo(np.float32).tiny)
"""Scales up to this are taken for 0."""

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Blocked:
    """``[N, K]`` weights in ``B`` blocks a row, as MatMulNBits and GatherBlockQuantized read them.

    Attributes:
        levels: ``[N, B, block * bits / 8]`` bytes; two 4-bit levels a byte, the lower first.
        scales: ``[N, B]``; those of 4 bits are exact in bfloat16.
        zeros: The level that is 0, ``[N, ceil(B / 2)]`` bytes of two blocks each; None where it is the middle
            everywhere.
        bits: 8 or 4.
        width: ``K``.
    """

    levels: Bytes
    scales: Floats
    zeros: Bytes | None
    bits: int
    width: int

    @property
    def block(self) -> int:
        """Weights that share a scale."""
        return int(self.levels.shape[-1]) * 8 // self.bits

    @property
    def zero_levels(self) -> Floats:
        """The level that is 0 in each block, ``[N, B]``."""
        if self.zeros is None:
            return np.full_like(self.scales, 1 << (self.bits - 1))
        return _unpacked(self.zeros)[:, : self.scales.shape[1]].astype(np.float32)

    def restored(self) -> Floats:
        """The ``[N, K]`` values that it stands for."""
        levels = self.levels if self.bits == 8 else _unpacked(self.levels)
        values = (levels.astype(np.float32) - self.zero_levels[..., None]) * self.scales[..., None]
        restored: Floats = values.reshape(len(values), -1)[:, : self.width]
        return restored


def block_in(width: int, wanted: int) -> int:
    """The block that rows of a width are rounded in: the wanted one, where they are a whole number of it."""
    return BLOCK if width % wanted else wanted


def round_blocks(values: Floats, bits: int, importance: Floats | None = None, *, wanted: int = BLOCK) -> Blocked:
    """Round ``[N, K]`` rows in blocks.

    8 bits take the scale of the largest value. 4 bits take, of several scales and zeros, those that leave the least
    squared error in their block, never more than the scale of the largest value or of the whole range, in bfloat16,
    leaves; none where the rows were rounded so before.

    Args:
        values: The weights.
        bits: 8 or 4.
        importance: ``[K]``, how much an error in a column counts; all alike by default.
        wanted: Weights of a block; see :func:`block_in`.
    """
    rows, width = values.shape
    block = block_in(width, wanted)
    blocks = np.zeros((rows, -(-width // block) * block), np.float32)
    blocks[:, :width] = values
    blocks = blocks.reshape(rows, -1, block)
    weights = np.zeros((blocks.shape[1], block), np.float32)
    weights.reshape(-1)[:width] = 1 if importance is None else importance
    if bits == 8:
        scales = _short(np.abs(blocks).max(-1) / 127, 8)
        return Blocked((_levels(blocks, scales, 128, 255)).astype(np.uint8), scales, None, bits, width)
    parts = [_searched(blocks[start : start + _ROWS], weights) for start in range(0, rows, _ROWS)]
    scales, zeros = (np.concatenate([part[place] for part in parts]) for place in (0, 1))
    return _blocked4(_levels(blocks, scales, zeros[..., None], 15), scales, zeros, width)


def round_compensated(values: Floats, moments: Floats, *, wanted: int = BLOCK) -> Blocked:
    """Round ``[N, K]`` rows to 4 bits, column by column, each column's error made up for by those after it.

    What is kept small is the error of the product with inputs like those that were seen: Frantar et al., "GPTQ"
    (arXiv 2210.17323), algorithm 1, with scales and zeros searched as in :func:`round_blocks` when their block's
    turn comes.

    Args:
        values: The weights.
        moments: ``[K, K]``, the mean of ``x x^T`` over inputs ``x``.
        wanted: Weights of a block; see :func:`block_in`.
    """
    rows, width = values.shape
    size = block_in(width, wanted)
    padded = -(-width // size) * size
    rest, spread = np.zeros((rows, padded), np.float32), _spread(moments, padded)
    rest[:, :width] = values
    importance = np.zeros(padded, np.float32)
    importance[:width] = np.diagonal(moments)
    levels = np.empty((rows, padded // size, size), np.float32)
    scales, zeros = (np.empty((rows, padded // size), np.float32) for _ in range(2))
    for block, start in enumerate(range(0, padded, size)):
        end = start + size
        now = np.ascontiguousarray(rest[:, start:end])
        found = _searched(now[:, None], importance[None, start:end])
        scale, zero = scales[:, block], zeros[:, block] = found[0][:, 0], found[1][:, 0]
        errors = np.empty_like(now)
        for column in range(size):
            own = spread[start + column, start:end]
            level = _levels(now[:, column : column + 1], scale, zero[:, None], 15)[:, 0]
            levels[:, block, column] = level
            errors[:, column] = (now[:, column] - (level - zero) * scale) / own[column]
            now[:, column + 1 :] -= np.outer(errors[:, column], own[column + 1 :])
        rest[:, end:] -= errors @ spread[start:end, end:]
    return _blocked4(levels, scales, zeros, width)


def round_channels(values: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Round ``[N, K]`` rows, each with one scale, to signed 8 bits; returns them and ``[N]`` scales."""
    scales = _short(np.abs(values).max(-1) / 127, 8)
    return (_levels(values, scales, 128, 255) - 128).astype(np.int8), scales


def restore_channels(levels: NDArray[np.int8], scales: Floats) -> Floats:
    """The ``[N, K]`` values that :func:`round_channels` stands for."""
    return levels.astype(np.float32) * scales[:, None]


def _levels(values: Floats, scales: Floats, zeros: Floats | int, top: int) -> Floats:
    """Levels 0 to ``top`` of ``[..., n]`` values with ``[...]`` scales."""
    levels = values * _inverse(scales)[..., None]
    np.rint(levels, out=levels)
    levels += zeros
    return np.clip(levels, 0, top, out=levels)


def _searched(blocks: Floats, importance: Floats) -> tuple[Floats, Floats]:
    """Scales and zeros ``[N, B]`` of 4 bits for blocks ``[N, B, k]``, by the least error that counts ``[B, k]``."""
    if _all_found(_found_again(blocks[:1])) and _all_found(found := _found_again(blocks)):
        return found
    best = _Best(blocks, importance)
    for scales, zeros in _candidates(blocks):
        best.offer(scales, zeros)
    for _ in range(_REFITS):  # the best scale for the levels as they are, by least squares; then levels anew
        offsets = _levels(blocks, best.scales, best.zeros[..., None], 15) - best.zeros[..., None]
        norm = np.einsum("rbk,rbk,bk->rb", offsets, offsets, importance)
        scales = np.einsum("rbk,rbk,bk->rb", blocks, offsets, importance)
        best.offer(np.divide(scales, norm, out=best.scales.copy(), where=norm > 0), best.zeros)
    return best.scales, best.zeros


class _Best:
    """Of the scales and zeros that were offered, those with the least error in each block."""

    def __init__(self, blocks: Floats, importance: Floats) -> None:
        self._blocks, self._importance = blocks, importance
        self.scales, self.zeros = np.zeros(blocks.shape[:2], np.float32), np.full(blocks.shape[:2], 8, np.float32)
        self._errors = np.full(blocks.shape[:2], np.inf, np.float32)

    def offer(self, scales: Floats, zeros: Floats) -> None:
        scales = _short(scales, _HALF)
        error = _levels(self._blocks, scales, zeros[..., None], 15)
        error -= zeros[..., None]
        error *= scales[..., None]
        error -= self._blocks
        found = np.einsum("rbk,rbk,bk->rb", error, error, self._importance)
        better = found < self._errors
        np.copyto(self.scales, scales, where=better)
        np.copyto(self.zeros, zeros, where=better)
        np.copyto(self._errors, found, where=better)


def _candidates(blocks: Floats) -> Iterator[tuple[Floats, Floats]]:
    """Scales and zeros worth trying: plain rounding of both kinds, and ranges that cut large values off."""
    low, high = np.minimum(blocks.min(-1), 0), np.maximum(blocks.max(-1), 0)
    middle = np.full_like(low, 8)
    extreme = np.where(high > -low, high, low)
    yield np.abs(extreme) / 7, middle
    for shrink in _SHRINKS:
        yield extreme * (shrink / -8), middle  # the lowest level has no positive counterpart
        scales = (high - low) * (shrink / 15)
        yield scales, np.clip(np.rint(-low * shrink * _inverse(scales)), 0, 15)


def _found_again(blocks: Floats) -> tuple[Floats, Floats]:
    """Scales and zeros of blocks that hold 4 bits already, which leave no error; scales are NaN where there are none.

    A block's largest value is one of the levels 1 to 15 from its zero, so one of these shares of it is the scale.
    """
    low, high = blocks.min(-1), blocks.max(-1)
    largest = np.maximum(high, -low)
    scales, zeros = np.full_like(low, np.nan), np.full_like(low, 8)
    for level in range(15, 0, -1):
        candidate = _short(largest / level, _HALF)
        below = np.rint(-low * _inverse(candidate))
        zero = np.where((below <= 8) & (high * _inverse(candidate) <= 7.5), 8, np.clip(below, 0, 15))
        restored = (_levels(blocks, candidate, zero[..., None], 15) - zero[..., None]) * candidate[..., None]
        exact = (restored == blocks).all(-1)
        np.copyto(scales, candidate, where=exact)
        np.copyto(zeros, zero, where=exact)
        if _all_found((scales, zeros)):
            break
    return scales, zeros


def _all_found(found: tuple[Floats, Floats]) -> bool:
    return not np.isnan(found[0]).any()


def _short(scales: Floats, bits: int) -> Floats:
    """Scales without their last bits, at least as many as levels have: so their products have no more than 24."""
    shortened: Floats = ((scales.view(np.int32) + (1 << (bits - 1))) & -(1 << bits)).view(np.float32)
    return shortened


def _inverse(scales: Floats) -> Floats:
    """1 / scale; 0 where that is too large for a float."""
    return np.divide(1, scales, out=np.zeros_like(scales), where=np.abs(scales) > TINY)


def _spread(moments: Floats, padded: int) -> Floats:
    """How a column's error is made up for by the later ones: Cholesky's factor of the inverse moments, upper."""
    width = len(moments)
    damped = np.eye(padded)
    damped[:width, :width] = moments
    damped[np.arange(width), np.arange(width)] += _DAMPING * max(float(np.diagonal(moments).mean()), 1e-12)
    upper: Floats = np.linalg.cholesky(np.linalg.inv(damped)).T.astype(np.float32)
    return upper


def _blocked4(levels: Floats, scales: Floats, zeros: Floats, width: int) -> Blocked:
    if (zeros == 8).all():
        return Blocked(_packed(levels), scales, None, 4, width)
    return Blocked(_packed(levels), scales, _packed(np.pad(zeros, ((0, 0), (0, zeros.shape[1] % 2)))), 4, width)


def _packed(levels: Floats) -> Bytes:
    """Two 4-bit levels a byte along the last axis."""
    whole = levels.astype(np.uint8)
    return whole[..., ::2] | (whole[..., 1::2] << np.uint8(4))


def _unpacked(packed: Bytes) -> Bytes:
    return np.stack([packed & 15, packed >> 4], -1).reshape(*packed.shape[:-1], -1)
