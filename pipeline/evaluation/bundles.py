"""Answers of a bundle to many questions, through the engine that will serve.

Does not know what a right answer is.
"""

from __future__ import annotations

from collections.abc import Sequence

from attar.runtime.bundle import Bundle
from attar.runtime.engine import Engine
from attar.runtime.text import ChatTokenizer

from ..data.render import prompt_ids
from ..data.samples import Sample
from ..progress import track

__all__ = ["bundle_answers"]


def bundle_answers(
    bundle: Bundle, samples: Sequence[Sample], *, max_new_tokens: int, threads: int
) -> tuple[list[str], list[int]]:
    """One greedy answer for each sample, one at a time, and the prompt of median length."""
    engine = Engine(bundle, threads=threads)
    tokenizer = ChatTokenizer.load(bundle.path)
    prompts = [prompt_ids(sample, tokenizer) for sample in samples]
    answers = []
    with track("score bundle", len(prompts)) as progress:
        for prompt in prompts:
            answers.append(tokenizer.decode(list(engine.generate(prompt, max_new_tokens=max_new_tokens))))
            progress(1)
    return answers, sorted(prompts, key=len)[len(prompts) // 2]
