"""From text to tokens: a sample's prompt and answer as ids, through the template that will serve.

The only place where training tokens are made. Does not know batches or models.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from attar.runtime.errors import DataError
from attar.runtime.text import ChatTokenizer

from .samples import Sample

__all__ = ["RenderedSample", "prompt_ids", "render"]


@dataclass(frozen=True)
class RenderedSample:
    """Token ids of one sample.

    Attributes:
        id: The sample's id.
        group: Samples of one group share the record, and so the first tokens.
        prompt: Ids up to and with the generation prompt.
        answer: Ids of the answer and of the token that ends the turn.
    """

    id: str
    group: str
    prompt: tuple[int, ...]
    answer: tuple[int, ...]


def prompt_ids(sample: Sample, tokenizer: ChatTokenizer) -> list[int]:
    """Ids of a sample's prompt, its tools included, up to and with the generation prompt."""
    return tokenizer.encode_chat(sample.messages, tools=sample.tools)


def render(samples: Iterable[Sample], tokenizer: ChatTokenizer) -> list[RenderedSample]:
    """Render samples; nothing is ever cut.

    Raises:
        DataError: The vocabulary can't end a turn, so no answer could ever stop.
    """
    end = tokenizer.end_id
    if end is None:
        raise DataError(
            "The tokenizer has no token that ends a turn.",
            next_step="Load the teacher through attar, which adds what is missing.",
        )
    return [
        RenderedSample(
            sample.id,
            sample.group,
            tuple(prompt_ids(sample, tokenizer)),
            (*tokenizer.encode(sample.answer), end),
        )
        for sample in samples
    ]
