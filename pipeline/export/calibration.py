"""What inputs a model's layers meet on texts of its own kind: their second moments, by which 4 bits round better.

Does not know rounding or graphs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

__all__ = ["input_moments"]


def input_moments(model: PreTrainedModel, texts: Sequence[Sequence[int]]) -> Mapping[Any, NDArray[np.float32]]:
    """The mean of ``x x^T`` over the inputs ``x`` of every layer of the model's body, by layer.

    Layers that read the same input, as queries, keys and values do, share one array.

    Args:
        model: In fp32.
        texts: Token ids of each.
    """
    sums: dict[Any, torch.Tensor] = {}
    shared: dict[Any, Any] = {}
    seen: list[tuple[torch.Tensor, Any]] = []  # the input read last, and the layer that its moments stand under

    def take(layer: Any, inputs: tuple[torch.Tensor, ...]) -> None:
        (value,) = inputs
        if seen and seen[-1][0] is value:
            shared[layer] = seen[-1][1]
            return
        seen[:] = [(value, layer)]
        flat = value.reshape(-1, value.shape[-1])
        own = sums.get(layer)
        sums[layer] = flat.T @ flat if own is None else own.addmm_(flat.T, flat)

    head = model.get_output_embeddings()
    layers = [each for each in model.modules() if isinstance(each, torch.nn.Linear | Conv1D) and each is not head]
    hooks = [layer.register_forward_pre_hook(take) for layer in layers]
    try:
        with torch.inference_mode():
            for text in texts:
                model.base_model(input_ids=torch.tensor([list(text)]), use_cache=False)
    finally:
        for hook in hooks:
            hook.remove()
    tokens = sum(len(text) for text in texts)
    found = {layer: (total / tokens).numpy() for layer, total in sums.items()}
    return found | {layer: found[first] for layer, first in shared.items()}
