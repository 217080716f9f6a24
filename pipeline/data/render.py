"""From text to tokens: a sample's prompt and answer as ids, through the template that will serve.

The only place where training tokens are made. Does not know batches or models.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from attar.runtime.errors import DataError
from attar.runtime.text import ChatTokenizer

from .samples import Sample

__all__ = ["RenderedSample", "prompt_ids", "render", "rendered_length"]


@dataclass(frozen=True, slots=True)
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


def rendered_length(sample: Sample, tokenizer: ChatTokenizer) -> int:
    """Tokens of a sample's prompt with its answer and the token that ends the turn."""
    return len(prompt_ids(sample, tokenizer)) + len(tokenizer.encode(sample.answer)) + 1


def render(samples: Iterable[Sample], tokenizer: ChatTokenizer, *, most: int | None = None) -> list[RenderedSample]:
    """Render samples; nothing is ever cut.

    Args:
        samples: The samples.
        tokenizer: What reads them.
        most: How many tokens a model reads at once; by default it is not asked.

    Raises:
        DataError: The vocabulary can't end a turn, so no answer could ever stop; or a sample is longer than ``most``.
    """
    end = tokenizer.end_id
    if end is None:
        raise DataError(
            "The tokenizer has no token that ends a turn.",
            next_step="Load the teacher through attar, which adds what is missing.",
        )
    known: dict[int, int] = {}  # each id held once: millions of equal ones would take more than the texts

    def held(ids: Sequence[int]) -> tuple[int, ...]:
        return tuple(known.setdefault(each, each) for each in ids)

    rendered = [
        RenderedSample(
            sample.id,
            sample.group,
            held(prompt_ids(sample, tokenizer)),
            held([*tokenizer.encode(sample.answer), end]),
        )
        for sample in samples
    ]
    if most is not None:
        _require_short(rendered, most)
    return rendered


def _require_short(rendered: Iterable[RenderedSample], most: int) -> None:
    """Check that a model can read every sample to the end of its answer."""
    longest = max(rendered, key=lambda one: len(one.prompt) + len(one.answer), default=None)
    if longest is not None and len(longest.prompt) + len(longest.answer) > most:
        raise DataError(
            "A sample is longer than the model can read.",
            where=f"sample {longest.id}",
            why=f"It has {len(longest.prompt) + len(longest.answer):,} tokens with its answer, the model reads "
            f"{most:,}, and nothing is ever cut.",
            next_step=f"Set data.max_tokens to at most {most}, or leave out the columns with long values.",
        )
