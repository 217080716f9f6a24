"""Parity: how far a graph is from the torch model it was made from.

Both see the same prompts and the same answer, torch's own; the graph also decodes by itself through the
runtime's cache. Does not know how the graph was made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedModel

from attar.runtime.bundle import Architecture
from attar.runtime.engine.session import Decoder, open_decoder
from attar.runtime.limits import available_threads

__all__ = ["Parity", "measure_parity", "reference_answers"]

ANSWER_TOKENS = 32
Logits = NDArray[np.float32]


@dataclass(frozen=True)
class Parity:
    """How far a graph is from torch.

    Attributes:
        largest_logit_difference: Over every token of every prompt and answer.
        p99_logit_difference: What 99 % of the tokens stay within, each by its largest difference.
        divergence: Mean KL divergence of the graph from torch at the answers' tokens, in nats.
        agreement: Share of answer tokens whose most likely token is the same.
        greedy_equal: Share of prompts whose greedy answer is the same, token for token.
        tokens: Answer tokens compared.
    """

    largest_logit_difference: float
    p99_logit_difference: float
    divergence: float
    agreement: float
    greedy_equal: float
    tokens: int

    def to_dict(self) -> dict[str, float]:
        """The same, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class ReferenceAnswer:
    """A prompt, torch's greedy answer to it, and torch's logits ``[T, V]`` along both."""

    prompt: list[int]
    answer: list[int]
    logits: Logits


def reference_answers(
    model: PreTrainedModel, prompts: Sequence[Sequence[int]], stop_ids: Sequence[int]
) -> list[ReferenceAnswer]:
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
            answers.append(ReferenceAnswer(list(prompt), answer, np.concatenate(logits)))
    return answers


def measure_parity(
    graph: Path, contract: str, architecture: Architecture, references: Sequence[ReferenceAnswer]
) -> Parity:
    """Compare a graph with torch's answers.

    Args:
        graph: The ``.onnx`` file.
        contract: How it is driven; see :func:`~attar.runtime.engine.session.open_decoder`.
        architecture: The model's shape.
        references: Torch's answers.
    """
    decoder = open_decoder(graph, architecture, contract, threads=available_threads(), spinning=False)
    differences, divergences, same, greedy = [], [], 0, 0
    for reference in references:
        ids = [*reference.prompt, *reference.answer[:-1]]
        logits, cache = decoder.forward(ids, decoder.empty_cache(len(ids)), logits_from=0)
        differences.append(np.abs(logits - reference.logits).max(-1))
        answer = slice(len(reference.prompt) - 1, None)
        divergences.append(_divergence(reference.logits[answer], logits[answer]))
        same += int((logits[answer].argmax(-1) == np.array(reference.answer)).sum())
        decoder.release(cache)
        greedy += _greedy(decoder, reference.prompt, len(reference.answer)) == reference.answer
    far, tokens = np.concatenate(differences), sum(len(reference.answer) for reference in references)
    return Parity(
        largest_logit_difference=float(far.max()),
        p99_logit_difference=float(np.percentile(far, 99)),
        divergence=float(np.concatenate(divergences).mean()),
        agreement=same / tokens,
        greedy_equal=greedy / len(references),
        tokens=tokens,
    )


def _divergence(wanted: Logits, found: Logits) -> NDArray[np.float64]:
    """KL divergence of each row, ``[T, V]`` logits to ``[T]``."""
    wanted_log, found_log = _log_softmax(wanted), _log_softmax(found)
    divergence: NDArray[np.float64] = (np.exp(wanted_log) * (wanted_log - found_log)).sum(-1)
    return divergence


def _log_softmax(logits: Logits) -> NDArray[np.float64]:
    shifted = logits.astype(np.float64) - logits.max(-1, keepdims=True)
    log: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return log


def _greedy(decoder: Decoder, prompt: Sequence[int], count: int) -> list[int]:
    ids, answer, cache = list(prompt), list[int](), decoder.empty_cache(len(prompt) + count)
    for _ in range(count):
        logits, cache = decoder.forward(ids, cache)
        answer.append(int(logits[-1].argmax()))
        ids = answer[-1:]
    decoder.release(cache)
    return answer
