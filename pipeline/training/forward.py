"""A causal LM on a packed batch: hidden states everywhere, logits only where an answer is predicted.

Does not know losses or optimizers.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.nn import functional
from transformers import PreTrainedModel

from .batches import Batch

__all__ = ["answer_logits", "run_body"]


def run_body(model: PreTrainedModel, batch: Batch, **options: Any) -> Any:
    """The body's output, without the head; options go to the model's forward."""
    return model.base_model(
        input_ids=batch.input_ids,
        position_ids=batch.position_ids,
        attention_mask=batch.mask,
        **{"use_cache": False, **options},
    )


def answer_logits(
    model: PreTrainedModel, last_hidden_state: Tensor, batch: Batch, tokens: Tensor | None = None
) -> Tensor:
    """``[N, V]`` fp32 logits at the predicting positions of a batch, of all tokens or of these ids ``[V]`` alone.

    The head is the dearest layer of a small model; on the prompt's tokens it would be thrown away.
    """
    head, hidden = model.get_output_embeddings(), last_hidden_state[batch.rows, batch.columns]
    if tokens is None:
        logits: Tensor = head(hidden)
    else:
        bias = getattr(head, "bias", None)
        logits = functional.linear(hidden, head.weight[tokens], None if bias is None else bias[tokens])
    return logits.float()
