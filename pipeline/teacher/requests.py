"""Requests that a teacher makes up: what it writes itself where a user's turn begins.

A chat model that is given nothing but the beginning of a user's turn goes on as users do ("Magpie", arXiv 2406.08464,
section 2). So what it understands can be shown to a student without any text from elsewhere. Hands on texts, which
nothing has verified. Does not know samples or training.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from attar.runtime.prompts import Message

from ..progress import track
from .loading import LoadedModel

__all__ = ["made_up_requests", "request_turn"]

_SYSTEM = "You are a helpful AI assistant."
"""Behind it a corrected teacher writes requests, where without it it goes on like its samples."""
_BATCH = 128
_MOST_TOKENS = 32
_LIKELIEST = 50
"""Tokens that each is drawn from; sorting all of them by probability takes most of the time."""


def made_up_requests(teacher: LoadedModel, count: int, *, precision: str, seed: int) -> list[str]:
    """That many requests or fewer, each once, as the teacher draws them.

    Args:
        teacher: A chat model.
        count: How many are drawn; those that are empty or come again are left out.
        precision: What the teacher computes in.
        seed: Seed of the draws.
    """
    from ..training.precision import computing_in

    opening = _turn(teacher, [{"role": "system", "content": _SYSTEM}], "")[0]
    end = teacher.tokenizer.end_id
    found: dict[str, None] = {}
    with (
        torch.random.fork_rng(devices=[]),
        torch.inference_mode(),
        computing_in(teacher.model, precision),
        track("make up requests", count) as progress,
    ):
        torch.manual_seed(seed)
        for start in range(0, count, _BATCH):
            rows = min(_BATCH, count - start)
            drawn = _drawn(teacher, opening, rows, end)
            found.update(dict.fromkeys(text for text in drawn if text))
            progress(rows)
    return list(found)


def request_turn(model: LoadedModel, request: str) -> tuple[list[int], list[int]]:
    """A request's prompt in two parts: what stands before it, and from it on to where an answer begins."""
    return _turn(model, [], request)


def _turn(model: LoadedModel, before: Sequence[Message], request: str) -> tuple[list[int], list[int]]:
    tokenizer = model.tokenizer
    prompts = [tokenizer.encode_chat([*before, {"role": "user", "content": text}]) for text in (request, "1", "A")]
    start = next(place for place, tokens in enumerate(zip(*prompts[1:], strict=False)) if len(set(tokens)) > 1)
    return prompts[0][:start], prompts[0][start:]


def _drawn(teacher: LoadedModel, opening: list[int], rows: int, end: int | None) -> list[str]:
    """What so many rows go on with: all of them begin alike, so that is read once, and only the last token's logits."""
    model: Any = teacher.model
    read = model(input_ids=torch.tensor([opening]), use_cache=True, logits_to_keep=1)
    cache, logits = read.past_key_values, read.logits[:, -1].expand(rows, -1)
    cache.batch_repeat_interleave(rows)
    drawn: list[torch.Tensor] = []
    for _ in range(_MOST_TOKENS):
        likely = logits.float().topk(min(_LIKELIEST, logits.shape[-1]))
        places = likely.values.softmax(-1).multinomial(1)
        drawn.append(likely.indices.gather(-1, places))
        logits = model(input_ids=drawn[-1], past_key_values=cache, use_cache=True).logits[:, -1]
    return [_text(teacher, row, end) for row in torch.cat(drawn, dim=1).tolist()]


def _text(teacher: LoadedModel, tokens: list[int], end: int | None) -> str:
    ended = tokens[: tokens.index(end)] if end in tokens else tokens
    return teacher.tokenizer.decode(ended).strip()
