"""Greedy answers of a torch model to many questions.

Questions on one record share its tokens, as in training. What the reference answer says is read at once
(teacher forcing) as far as the model would have said the same; from there on each answer is decoded token
by token. So the answers are those of plain greedy decoding, and a right answer costs one pass.
Does not know what a right answer is worth.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..data.render import RenderedSample, render
from ..data.samples import Sample
from ..progress import track
from ..teacher import LoadedModel
from ..training.batches import pack_all
from .branches import BranchReader
from .guessed import GuessedAnswer

__all__ = ["greedy_answers"]

_QUESTIONS_PER_SEQUENCE = 8
_SEQUENCES_PER_BATCH = 8


def greedy_answers(
    loaded: LoadedModel,
    samples: Sequence[Sample],
    *,
    max_new_tokens: int,
    precision: str = "float32",
    title: str | None = "answer",
) -> list[str]:
    """One answer for each sample, in order.

    Args:
        loaded: The model, in fp32.
        samples: The questions. Their answers are guesses that save time; they can't change a result.
        max_new_tokens: Limit of an answer.
        precision: What the prompts are read in; "bfloat16" is faster on some CPUs. Answers are read in fp32.
        title: What the progress is called; None shows none.

    Raises:
        DataError: A question with its answer is longer than the model can read.
    """
    rendered = render(samples, loaded.tokenizer, most=loaded.most_tokens)
    packed = pack_all(rendered, _QUESTIONS_PER_SEQUENCE, with_answers=False)
    packed.sort(key=lambda sequence: len(sequence.ids))
    answers: dict[int, list[int]] = {}
    end = loaded.tokenizer.end_id
    assert end is not None  # render refuses a tokenizer without it
    with track(title, len(rendered)) as progress, torch.inference_mode():
        for start in range(0, len(packed), _SEQUENCES_PER_BATCH):
            chunk = packed[start : start + _SEQUENCES_PER_BATCH]
            reader = BranchReader(loaded.model, chunk, precision)
            members: list[RenderedSample] = [sample for sequence in chunk for sample in sequence.samples]
            found = _decode(reader, [sample.answer[:-1] for sample in members], end, max_new_tokens)
            answers |= {id(sample): ids for sample, ids in zip(members, found, strict=True)}
            progress(len(members))
    return [loaded.tokenizer.decode(answers[id(sample)]) for sample in rendered]


def _decode(reader: BranchReader, guesses: Sequence[Sequence[int]], end: int, limit: int) -> list[list[int]]:
    """Token ids of each question's answer, without the end token."""
    answers = [GuessedAnswer(guess, (end,), limit) for guess in guesses]
    for answer, token in zip(answers, reader.first_tokens, strict=True):
        answer.take(token)
    pairs = list(zip(reader.branches, answers, strict=True))
    while running := [(branch, answer) for branch, answer in pairs if not answer.done]:
        reader.keep([branch for branch, _ in running])
        runs = [answer.next_run() for _, answer in running]
        predicted = reader.read([(branch, run) for (branch, _), run in zip(running, runs, strict=True)])
        for (branch, answer), run, tokens in zip(running, runs, predicted, strict=True):
            reader.forget(branch, len(run) - answer.follow(run, tokens))
    return [answer.ids for answer in answers]
