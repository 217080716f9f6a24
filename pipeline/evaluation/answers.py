"""Greedy answers of a torch model to many questions.

Questions on one record share its tokens in the prefill, as in training; then each decodes on its own.
Does not know what a right answer is.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from ..data.render import RenderedSample, render
from ..data.samples import Sample
from ..progress import track
from ..teacher import LoadedModel
from ..training.batches import Batch, Packed, collate, pack_all
from ..training.forward import answer_logits, run_body
from ..training.precision import autocast

__all__ = ["greedy_answers"]

_QUESTIONS_PER_SEQUENCE = 8
_SEQUENCES_PER_BATCH = 8


def greedy_answers(
    loaded: LoadedModel,
    samples: Sequence[Sample],
    *,
    max_new_tokens: int,
    precision: str = "float32",
    title: str = "answer",
) -> list[str]:
    """One answer for each sample, in order.

    Args:
        loaded: The model, in fp32.
        samples: The questions.
        max_new_tokens: Limit of an answer.
        precision: What the prompts are read in; "bfloat16" is faster on some CPUs. Decoding is in fp32.
        title: What the progress is called.
    """
    rendered = render(samples, loaded.tokenizer)
    packed = pack_all(rendered, _QUESTIONS_PER_SEQUENCE, with_answers=False)
    packed.sort(key=lambda sequence: len(sequence.ids))
    answers: dict[int, list[int]] = {}
    end = loaded.tokenizer.end_id
    assert end is not None  # render refuses a tokenizer without it
    with track(title, len(rendered)) as progress, torch.inference_mode():
        for start in range(0, len(packed), _SEQUENCES_PER_BATCH):
            chunk = packed[start : start + _SEQUENCES_PER_BATCH]
            found = _decode(loaded.model, chunk, end, max_new_tokens, precision)
            members: list[RenderedSample] = [sample for sequence in chunk for sample in sequence.samples]
            answers |= {id(sample): ids for sample, ids in zip(members, found, strict=True)}
            progress(len(members))
    return [loaded.tokenizer.decode(answers[id(sample)]) for sample in rendered]


def _decode(
    model: PreTrainedModel, sequences: Sequence[Packed], end: int, max_new_tokens: int, precision: str
) -> list[list[int]]:
    """Token ids for each question of a batch of sequences, without the end token."""
    batch = collate(sequences)
    with autocast(precision):
        output = run_body(model, batch, use_cache=True)
    tokens = answer_logits(model, output.last_hidden_state.float(), batch).argmax(-1)
    cache, seen = _one_row_each(output.past_key_values, batch)
    positions = batch.position_ids[batch.rows, batch.columns]
    ids: list[list[int]] = [[] for _ in tokens]
    asked = torch.arange(len(ids))  # which question each row of the batch still answers
    for step in range(max_new_tokens):
        running = tokens != end
        if 2 * int(running.sum()) <= len(asked):  # most have ended: go on with the others alone
            kept = running.nonzero()[:, 0]
            cache.batch_select_indices(kept)
            asked, tokens, positions, seen, running = (x[kept] for x in (asked, tokens, positions, seen, running))
        for question, token in zip(asked[running].tolist(), tokens[running].tolist(), strict=True):
            ids[question].append(token)
        if not running.any() or step == max_new_tokens - 1:
            break
        positions = positions + 1
        seen = torch.cat([seen, torch.ones_like(seen[:, :1])], dim=1)
        hidden = model.base_model(
            input_ids=tokens[:, None],
            position_ids=positions[:, None],
            attention_mask=seen[:, None, None, :],
            past_key_values=cache,
            use_cache=True,
        ).last_hidden_state
        # A row that has ended keeps its end token until it is dropped.
        tokens = torch.where(running, model.get_output_embeddings()(hidden[:, 0]).argmax(-1), tokens)
    return ids


def _one_row_each(cache: DynamicCache, batch: Batch) -> tuple[DynamicCache, Tensor]:
    """The cache with a row for each question that holds only the keys it sees, and which are real."""
    visible = batch.mask[batch.rows, 0, batch.columns]
    longest = int(visible.sum(-1).max())
    order = torch.argsort(visible.int(), dim=-1, descending=True, stable=True)[:, :longest]
    seen = visible.gather(1, order)
    rows = batch.rows[:, None]
    gathered = DynamicCache()
    for number, layer in enumerate(cache.layers):
        # Advanced indices on axes 0 and 2 bring [question, key] to the front of [heads, size].
        assert layer.keys is not None and layer.values is not None  # the prefill filled them
        keys, values = (states[rows, :, order].transpose(1, 2) for states in (layer.keys, layer.values))
        gathered.update(keys.float().contiguous(), values.float().contiguous(), number)
    return gathered, seen
