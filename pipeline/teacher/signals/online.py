"""Signals from the teacher itself, computed when they are asked for.

A student of fewer tokens learns the teacher's distribution over those alone, made whole again by the softmax: it has
no probability to give to the others, so a bucket for them would ask it to give theirs to tokens that the teacher
does not mean, and of all distributions over its own tokens this one is nearest to the teacher's (forward KL).
Does not know losses.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor
from transformers import PreTrainedModel

from ...training.batches import Batch
from ...training.forward import answer_states, head_logits, run_body
from ...training.hidden import captured
from ...training.precision import computing_in
from .signal import Signal

__all__ = ["OnlineSignals"]


@dataclass(frozen=True)
class OnlineSignals:
    """The teacher at hand.

    Attributes:
        teacher: The model, not trained here.
        vocabulary_size: Tokens that the student knows; logits beyond are padding.
        tokens: ``[V]`` the teacher's id of each of the student's tokens; None where both have the same.
        precision: What the teacher computes in.
        with_states: Whether hidden states are wanted.
    """

    teacher: PreTrainedModel
    vocabulary_size: int
    tokens: Tensor | None = None
    precision: str = "float32"
    with_states: bool = False

    @property
    def is_online(self) -> bool:
        """True."""
        return True

    def at_hand(self) -> AbstractContextManager[None]:
        """In the block, the teacher computes in its precision."""
        return computing_in(self.teacher, self.precision)

    def of(self, batch: Batch) -> Signal:
        """One forward pass of the body, now where states are wanted, else when targets are first asked for."""
        states: list[Tensor] = []

        @cache
        def answers() -> Tensor:
            with torch.no_grad(), ExitStack() as hooks:
                found = hooks.enter_context(captured(self.teacher)) if self.with_states else []
                hidden = run_body(self.teacher, batch.for_model_with(self.tokens)).last_hidden_state
                states.extend(found)
                return answer_states(hidden, batch)

        def logits(place: slice) -> Tensor:
            with torch.no_grad():
                return head_logits(self.teacher, answers()[place], self.tokens)[:, : self.vocabulary_size]

        if self.with_states:
            answers()
        return Signal(logits, states)
