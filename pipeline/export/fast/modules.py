"""Weights out of torch's modules, as numpy arrays. Does not know graphs."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

__all__ = ["array", "packed"]


def array(tensor: torch.Tensor) -> NDArray[np.float32]:
    """A tensor's values; they share its memory where it is fp32."""
    values: NDArray[np.float32] = tensor.detach().float().contiguous().numpy()
    return values


def packed(*linears: Any) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """Linear layers of one input as one: weights ``[sum of N, K]``, and biases where any has one."""
    weight = np.concatenate([array(linear.weight) for linear in linears])
    if all(linear.bias is None for linear in linears):
        return weight, None
    biases = [np.zeros(len(each.weight), np.float32) if each.bias is None else array(each.bias) for each in linears]
    return weight, np.concatenate(biases)
