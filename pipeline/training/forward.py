"""A causal LM on a packed batch: hidden states everywhere, logits only where an answer is predicted.

Does not know losses or optimizers.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import PreTrainedModel

from .attention import PLAIN
from .batches import Batch

__all__ = ["answer_logits", "answer_states", "head_logits", "mask_for", "run_body"]


def run_body(model: PreTrainedModel, batch: Batch, **options: Any) -> Any:
    """The body's output, without the head; options go to the model's forward."""
    return model.base_model(
        input_ids=batch.input_ids,
        position_ids=batch.position_ids,
        attention_mask=mask_for(model, batch.mask),
        **{"use_cache": False, **options},
    )


def mask_for(model: PreTrainedModel, visible: Tensor) -> Tensor:
    """A bool mask as the model's attention takes it: true and false, or what is added to the scores."""
    if model.config._attn_implementation not in PLAIN:
        return visible
    dtype = next(model.parameters()).dtype
    return torch.zeros(visible.shape, dtype=dtype).masked_fill_(~visible, torch.finfo(dtype).min)


def answer_logits(
    model: PreTrainedModel, last_hidden_state: Tensor, batch: Batch, tokens: Tensor | None = None
) -> Tensor:
    """``[N, V]`` fp32 logits at the predicting positions of a batch, of all tokens or of these ids ``[V]`` alone.

    The head is the dearest layer of a small model; on the prompt's tokens it would be thrown away.
    """
    return head_logits(model, answer_states(last_hidden_state, batch), tokens)


def answer_states(last_hidden_state: Tensor, batch: Batch) -> Tensor:
    """``[N, H]`` what the head reads at the predicting positions of a batch."""
    return last_hidden_state[batch.rows, batch.columns]


def head_logits(model: PreTrainedModel, states: Tensor, tokens: Tensor | None = None) -> Tensor:
    """``[N, V]`` fp32 logits of such hidden states, of all tokens or of these ids ``[V]`` alone."""
    head = model.get_output_embeddings()
    if tokens is None:
        logits: Tensor = head(states)
    else:
        bias = getattr(head, "bias", None)
        logits = functional.linear(states, head.weight[tokens], None if bias is None else bias[tokens])
    return logits.float()
