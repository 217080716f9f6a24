"""Attention as plain products of matrices that keeps no weight for each pair of tokens.

A training needs those weights on the way back. Kept, they grow with the square of a sequence's length; here they are
computed again ("FlashAttention", arXiv 2205.14135, section 3.1), by the very function that the model's family
has for it, so that its scaling, caps and sinks are the family's own. Changes nothing but memory. Does not know batches.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

__all__ = ["PLAIN", "plain_attention"]

_KEPT, _AGAIN = "eager", "eager_again"
PLAIN = frozenset({_KEPT, _AGAIN})
"""Names in a model's config of attention whose mask is added to the scores."""
_FUNCTION = "eager_attention_forward"


def plain_attention(model: PreTrainedModel) -> str:
    """The name for a model's config; where the family has no such function, its own attention keeps what it keeps."""
    if not hasattr(sys.modules[type(model).__module__], _FUNCTION):
        return _KEPT
    ALL_ATTENTION_FUNCTIONS.register(_AGAIN, _again)
    ALL_MASK_ATTENTION_FUNCTIONS.register(_AGAIN, ALL_MASK_ATTENTION_FUNCTIONS[_KEPT])
    return _AGAIN


def _again(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **options: Any
) -> tuple[Tensor, None]:
    """What the family's function gives, without the weights."""
    plain = partial(getattr(sys.modules[type(module).__module__], _FUNCTION), module, **options)
    if not torch.is_grad_enabled():
        return plain(query, key, value, attention_mask)[0], None
    output: Tensor = checkpoint(plain, query, key, value, attention_mask, use_reentrant=False)[0]
    return output, None
