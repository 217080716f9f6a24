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
from transformers import PreTrainedModel

from attar.runtime.bundle import Architecture
from attar.runtime.engine.session import DecoderSession
from attar.runtime.limits import available_threads

__all__ = ["Parity", "measure_parity", "reference_answers"]

ANSWER_TOKENS = 32


@dataclass(frozen=True)
class Parity:
    """How far a graph is from torch.

    Attributes:
        largest_logit_difference: Over every token of every prompt and answer.
        agreement: Share of answer tokens whose most likely token is the same.
        greedy_equal: Share of prompts whose greedy answer is the same, token for token.
        tokens: Answer tokens compared.
    """

    largest_logit_difference: float
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
    logits: np.ndarray[tuple[int, ...], np.dtype[np.float32]]


def reference_answers(
    model: PreTrainedModel, prompts: Sequence[Sequence[int]], stop_ids: Sequence[int]
) -> list[ReferenceAnswer]:
    """Torch's greedy answers, up to and with a stop token."""
    answers = []
    with torch.inference_mode():
        for prompt in prompts:
            ids = torch.tensor([list(prompt)])
            cache, logits, answer = None, [], []
            for _ in range(ANSWER_TOKENS):
                output = model(input_ids=ids, past_key_values=cache, use_cache=True)
                cache = output.past_key_values
                logits.append(output.logits[0].float().numpy())
                answer.append(int(output.logits[0, -1].argmax()))
                if answer[-1] in stop_ids:
                    break
                ids = torch.tensor([[answer[-1]]])
            answers.append(ReferenceAnswer(list(prompt), answer, np.concatenate(logits)))
    return answers


def measure_parity(graph: Path, architecture: Architecture, references: Sequence[ReferenceAnswer]) -> Parity:
    """Compare a graph with torch's answers."""
    session = DecoderSession(graph, architecture, threads=available_threads(), spinning=False)
    largest, same, tokens, greedy = 0.0, 0, 0, 0
    for reference in references:
        logits, _ = session.forward([*reference.prompt, *reference.answer[:-1]], session.empty_cache())
        largest = max(largest, float(np.abs(logits - reference.logits).max()))
        predicted = logits[len(reference.prompt) - 1 :].argmax(-1)
        same += int((predicted == np.array(reference.answer)).sum())
        tokens += len(reference.answer)
        greedy += _greedy(session, reference.prompt, len(reference.answer)) == reference.answer
    return Parity(largest, same / max(tokens, 1), greedy / max(len(references), 1), tokens)


def _greedy(session: DecoderSession, prompt: Sequence[int], count: int) -> list[int]:
    ids, cache, answer = list(prompt), session.empty_cache(), []
    for _ in range(count):
        logits, cache = session.forward(ids, cache)
        answer.append(int(logits[-1].argmax()))
        ids = answer[-1:]
    return answer
