"""Packed sequences that are read on: each question's branch grows, and sees its record and itself.

The record's keys and values are there once for all its questions. Hands on the model's most likely next
tokens. Does not know answers, ends or limits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedModel

from ..training.batches import Packed, collate
from ..training.forward import answer_logits, mask_for, run_body
from ..training.precision import autocast

__all__ = ["Branch", "BranchReader"]

_RECORD = 0  # the branch that all questions of a row see
_NOBODY = -1  # padding, and tokens that were taken back


@dataclass
class Branch:
    """Where one question stands: its row of the batch, its number there, the position of its next token."""

    row: int
    number: int
    position: int


class BranchReader:
    """A batch of packed prompts, read.

    Args:
        model: The model, in fp32.
        sequences: Packed without answers.
        precision: What the prompts are read in; all that follows is read in fp32.

    Attributes:
        branches: One for each question, in order.
        first_tokens: What the model says first to each.
    """

    def __init__(self, model: PreTrainedModel, sequences: Sequence[Packed], precision: str) -> None:
        batch = collate(sequences)
        with autocast(precision):
            output = run_body(model, batch, use_cache=True)
        self._model, self._cache = model, output.past_key_values
        for layer in self._cache.layers:
            layer.keys, layer.values = layer.keys.float(), layer.values.float()
        self._owners = torch.full_like(batch.input_ids, _NOBODY)
        for row, sequence in enumerate(sequences):
            self._owners[row, : len(sequence.branches)] = torch.tensor(sequence.branches)
        ends = [(row, column) for row, sequence in enumerate(sequences) for column in sequence.predicting]
        self.branches = [
            Branch(row, sequences[row].branches[column], sequences[row].positions[column] + 1) for row, column in ends
        ]
        self.first_tokens: list[int] = answer_logits(model, output.last_hidden_state.float(), batch).argmax(-1).tolist()

    def read(self, runs: Sequence[tuple[Branch, Sequence[int]]]) -> list[list[int]]:
        """Append tokens to branches; what the model says after each of them."""
        width = [0] * len(self._owners)
        places: list[tuple[int, int]] = []
        filled: list[tuple[int, int, int]] = []
        for branch, tokens in runs:
            start = width[branch.row]
            width[branch.row] += len(tokens)
            places += [(branch.row, start + step) for step in range(len(tokens))]
            filled += [(token, branch.position + step, branch.number) for step, token in enumerate(tokens)]
            branch.position += len(tokens)
        rows, columns = torch.tensor(places).T
        added = torch.tensor([0, 0, _NOBODY]).repeat(len(width), max(width), 1)
        added[rows, columns] = torch.tensor(filled)
        hidden = self._forward(*added.unbind(-1))
        head = self._model.get_output_embeddings()
        predicted: list[int] = head(hidden[rows, columns]).argmax(-1).tolist()
        found = iter(predicted)
        return [[next(found) for _ in tokens] for _, tokens in runs]

    def forget(self, branch: Branch, count: int) -> None:
        """Take back the last tokens of a branch."""
        if count:
            own = (self._owners[branch.row] == branch.number).nonzero()[-count:, 0]
            self._owners[branch.row, own] = _NOBODY
            branch.position -= count

    def keep(self, branches: Sequence[Branch]) -> None:
        """Drop the rows on which none of these branches stands, once they are half of all."""
        rows = sorted({branch.row for branch in branches})
        if 2 * len(rows) > len(self._owners):
            return
        kept = torch.tensor(rows)
        self._cache.batch_select_indices(kept)
        self._owners = self._owners[kept]
        for branch in branches:
            branch.row = rows.index(branch.row)

    def _forward(self, ids: Tensor, positions: Tensor, owners: Tensor) -> Tensor:
        self._owners = torch.cat([self._owners, owners], dim=1)
        keys, queries = self._owners[:, None, :], owners[:, :, None]
        length, added = self._owners.shape[1], owners.shape[1]
        earlier = torch.ones(added, length, dtype=torch.bool).tril(length - added)
        visible = (((keys == queries) | (keys == _RECORD)) & earlier)[:, None]
        hidden: Tensor = self._model.base_model(
            input_ids=ids,
            position_ids=positions,
            attention_mask=mask_for(self._model, visible),
            past_key_values=self._cache,
            use_cache=True,
        ).last_hidden_state
        return hidden
