"""What torch says, and how far a graph is from it; see ``runtime/parity.py`` for how it is measured.

Does not know how the graph was made.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedModel

from attar.runtime.bundle import Architecture
from attar.runtime.engine.session import open_decoder
from attar.runtime.limits import available_threads
from attar.runtime.parity import Parity, greedy, measure, read_answers
from attar.runtime.references import Answer, Exchange, References

from ..progress import track

__all__ = ["CONTINUED", "TorchDecoder", "measure_parity", "reference_answers"]

CONTINUED = 64
"""Tokens that the model itself says after a prompt, where it does not stop earlier."""


@dataclass(frozen=True)
class _TorchCache:
    past: Any
    length: int


class TorchDecoder:
    """A torch model, driven like a graph; see :class:`~attar.runtime.engine.session.Reader`."""

    def __init__(self, model: PreTrainedModel) -> None:
        self._model = model
        self._keeps = "logits_to_keep" in inspect.signature(model.forward).parameters

    def empty_cache(self, capacity: int | None = None) -> _TorchCache:
        return _TorchCache(None, 0)

    def forward(
        self, ids: Sequence[int], cache: _TorchCache, *, logits_from: int = -1
    ) -> tuple[NDArray[np.float32], _TorchCache]:
        wanted = len(range(len(ids))[logits_from:])
        kept = {"logits_to_keep": wanted} if self._keeps else {}
        with torch.inference_mode():
            past = copy.deepcopy(cache.past)  # torch's grows in place, and the cache may be given again
            output = self._model(input_ids=torch.tensor([list(ids)]), past_key_values=past, use_cache=True, **kept)
        logits: NDArray[np.float32] = output.logits[0, -wanted:].float().numpy()
        return logits, _TorchCache(output.past_key_values, cache.length + len(ids))

    def release(self, cache: _TorchCache) -> None:
        """Nothing to keep."""


def reference_answers(
    model: PreTrainedModel,
    prompts: Sequence[Sequence[int]],
    stop_ids: Sequence[int],
    scratch: Path,
    expected: Sequence[Exchange] = (),
) -> References:
    """Torch's logits at the tokens of right answers, and its greedy answers, up to and with a stop token.

    Args:
        model: In fp32.
        prompts: Token ids that it continues.
        stop_ids: Tokens that end a greedy answer.
        scratch: A folder for the logits, which may be more than memory holds: 4 bytes for each token of the vocabulary
            and of the answers.
        expected: The right answers; without them its own are taken.
    """
    decoder, most = TorchDecoder(model), model.config.max_position_embeddings
    continuations = [
        Exchange(list(prompt), greedy(decoder, prompt, min(CONTINUED, most - len(prompt)), stop_ids, with_stop=True))
        for prompt in prompts
    ]
    asked: Sequence[Exchange] = expected or continuations
    tokens, start, answers = sum(len(one.ids) for one in asked), 0, []
    logits = np.memmap(scratch / "logits", np.float32, "w+", shape=(tokens, model.config.vocab_size))
    with track("torch's answers", len(asked)) as progress:
        for one, found in read_answers(decoder, asked):
            part = logits[start : start + len(found)]
            part[:] = found
            start += len(found)
            answers.append(Answer(list(one.prompt), list(one.ids), part))
            progress(1)
    return References(answers, continuations, expected=bool(expected))


def measure_parity(
    graph: Path, contract: str, architecture: Architecture, references: References, form: str = "none"
) -> Parity:
    """Compare a graph with torch's answers.

    Args:
        graph: The ``.onnx`` file.
        contract: How it is driven; see :func:`~attar.runtime.engine.session.open_decoder`.
        architecture: The model's shape.
        references: Torch's answers.
        form: Its numeric form.
    """
    decoder = open_decoder(graph, architecture, contract, threads=available_threads())
    return measure(decoder, references, form)
