"""Parity of a graph with the torch model it was made from; see ``runtime/parity.py`` for how it is measured.

Does not know how the graph was made.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedModel

from attar.runtime.bundle import Architecture
from attar.runtime.engine.session import open_decoder
from attar.runtime.limits import available_threads
from attar.runtime.parity import Parity, Reference, measure

__all__ = ["measure_parity", "reference_answers"]

ANSWER_TOKENS = 32


def reference_answers(
    model: PreTrainedModel, prompts: Sequence[Sequence[int]], stop_ids: Sequence[int]
) -> list[Reference]:
    """Torch's greedy answers, up to and with a stop token."""
    answers = []
    with torch.inference_mode():
        for prompt in prompts:
            ids = torch.tensor([list(prompt)])
            cache, logits, answer = None, [], []
            for _ in range(min(ANSWER_TOKENS, model.config.max_position_embeddings - len(prompt))):
                output = model(input_ids=ids, past_key_values=cache, use_cache=True)
                cache = output.past_key_values
                logits.append(output.logits[0].float().numpy())
                answer.append(int(output.logits[0, -1].argmax()))
                if answer[-1] in stop_ids:
                    break
                ids = torch.tensor([[answer[-1]]])
            answers.append(Reference(list(prompt), answer, np.concatenate(logits)))
    return answers


def measure_parity(graph: Path, contract: str, architecture: Architecture, references: Sequence[Reference]) -> Parity:
    """Compare a graph with torch's answers.

    Args:
        graph: The ``.onnx`` file.
        contract: How it is driven; see :func:`~attar.runtime.engine.session.open_decoder`.
        architecture: The model's shape.
        references: Torch's answers.
    """
    return measure(open_decoder(graph, architecture, contract, threads=available_threads()), references)
