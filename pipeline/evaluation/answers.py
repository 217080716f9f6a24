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

__all__ = ["greedy_answers"]

_QUESTIONS_PER_SEQUENCE = 8
_SEQUENCES_PER_BATCH = 8


def greedy_answers(
    loaded: LoadedModel, samples: Sequence[Sample], *, max_new_tokens: int, title: str = "answer"
) -> list[str]:
    """One answer for each sample, in order, in fp32."""
    rendered = render(samples, loaded.tokenizer)
    packed = pack_all(rendered, _QUESTIONS_PER_SEQUENCE, with_answers=False)
    packed.sort(key=lambda sequence: len(sequence.ids))
    answers: dict[int, list[int]] = {}
    end = loaded.tokenizer.end_id
    assert end is not None  # render refuses a tokenizer without it
    with track(title, len(rendered)) as progress, torch.inference_mode():
        for start in range(0, len(packed), _SEQUENCES_PER_BATCH):
            chunk = packed[start : start + _SEQUENCES_PER_BATCH]
            found = _decode(loaded.model, chunk, end, max_new_tokens)
            members: list[RenderedSample] = [sample for sequence in chunk for sample in sequence.samples]
            answers |= {id(sample): ids for sample, ids in zip(members, found, strict=True)}
            progress(len(members))
    return [loaded.tokenizer.decode(answers[id(sample)]) for sample in rendered]


def _decode(
    model: PreTrainedModel, sequences: Sequence[Packed], end: int, max_new_tokens: int
) -> list[list[int]]:
    """Token ids for each question of a batch of sequences, without the end token."""
    batch = collate(sequences)
    output = run_body(model, batch, use_cache=True)
    tokens = answer_logits(model, output.last_hidden_state, batch).argmax(-1)
    cache, seen = _one_row_each(output.past_key_values, batch)
    positions = batch.position_ids[batch.rows, batch.columns]
    ids: list[list[int]] = [[] for _ in tokens]
    running = tokens != end
    for step in range(max_new_tokens):
        for row in running.nonzero()[:, 0].tolist():
            ids[row].append(int(tokens[row]))
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
        tokens = model.get_output_embeddings()(hidden[:, 0]).argmax(-1)
        running &= tokens != end
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
        keys, values = (states[rows, :, order].transpose(1, 2) for states in (layer.keys, layer.values))
        gathered.update(keys.contiguous(), values.contiguous(), number)
    return gathered, seen
