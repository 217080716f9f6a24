"""Which model it is: a hash of everything that it computes with. Does not know where a model comes from."""

from __future__ import annotations

import hashlib
import json

import torch
from transformers import PreTrainedModel

__all__ = ["weights_sha256"]

_NO_INFLUENCE = frozenset({"transformers_version", "dtype", "torch_dtype", "use_cache"})


def weights_sha256(model: PreTrainedModel) -> str:
    """SHA-256 over a model's config and weights; a tied weight counts once."""
    config = {
        name: value
        for name, value in model.config.to_dict().items()
        if name not in _NO_INFLUENCE and not name.startswith("_")
    }
    digest = hashlib.sha256(json.dumps(config, sort_keys=True, default=str).encode())
    for name, weight in sorted(model.named_parameters()):
        digest.update(f"{name} {weight.dtype} {list(weight.shape)}".encode())
        digest.update(weight.detach().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()
