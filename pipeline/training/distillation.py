"""Distillation: the student learns the teacher's hidden states, then its answers.

``align`` heals a body cut from the teacher: each layer learns, on the teacher's own hidden states, to do
the work of the layers it stands for, all at once and none waiting for those below it. ``distill`` then
trains the whole student end to end. Both change the student in place.
Does not know where teacher and student come from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from attar.runtime.errors import UsageError

from ..checkpoints import Checkpoints
from ..losses import DistillationLoss, Targets, cosine_distance, mean_in_chunks, relative_error
from ..student import are_comparable, even_layers
from ..teacher.signals import OnlineSignals, Signals, asks_teacher, why_online
from .batches import Batch, Packed, endless_parts
from .forward import answer_states, head_logits, run_body
from .hidden import captured, replaced_inputs
from .loop import Schedule, Watch, train
from .precision import Roundings, computing_in
from .rehearsal import Rehearsal

__all__ = ["Pair", "align", "answer_loss", "distill"]


@dataclass(frozen=True)
class Pair:
    """A teacher, a student, and which of their layers correspond.

    Attributes:
        teacher: The teacher, not trained here.
        student: The student.
        layers: For each of the student's layers, the teacher's layer it stands in for first; empty
            where their hidden states can't be compared.
        vocabulary_size: Tokens that both know; logits beyond are padding.
        is_cut: Whether the student is a cut of this teacher, so that its layers and embeddings are the teacher's.
        tokens: ``[V]`` the teacher's id of each of the student's tokens; None where both have the same.
    """

    teacher: PreTrainedModel
    student: PreTrainedModel
    layers: list[int]
    vocabulary_size: int
    is_cut: bool
    tokens: Tensor | None = None

    @classmethod
    def of(
        cls,
        teacher: PreTrainedModel,
        student: PreTrainedModel,
        vocabulary_size: int,
        *,
        is_cut: bool,
        layers: Sequence[int] = (),
        tokens: Sequence[int] | None = None,
    ) -> Pair:
        """Pair two models; without given layers they correspond by even spacing where the widths are equal."""
        even = []
        if not layers and are_comparable(teacher, student):
            even = even_layers(teacher.config.num_hidden_layers, student.config.num_hidden_layers)
        known = None if tokens is None else torch.tensor(tokens)
        return cls(teacher, student, list(layers) or even, vocabulary_size, is_cut, known)

    @property
    def starts(self) -> list[int]:
        """For each of the student's layers, the teacher's layer whose input it gets; the first gets the embedding."""
        return [0, *self.layers[1:]]

    @property
    def ends(self) -> list[int]:
        """For each of the student's layers, how many teacher layers its output stands for."""
        return [*self.layers[1:], self.teacher.config.num_hidden_layers]

    def online_signals(self, precision: str, *, with_states: bool) -> OnlineSignals:
        """What this teacher says of the student's tokens, and its hidden states where they can be compared."""
        states = with_states and bool(self.layers)
        return OnlineSignals(self.teacher, self.vocabulary_size, self.tokens, precision, states)


def align(
    pair: Pair,
    sequences: Sequence[Packed],
    schedule: Schedule,
    *,
    batch_tokens: int,
    precision: str,
    seed: int,
    title: str = "align layers",
    checkpoints: Checkpoints | None = None,
    rehearsal: Rehearsal | None = None,
) -> list[float]:
    """Train each of the student's layers alone; returns the mean relative error at each step.

    Arguments as for :func:`distill`.
    """

    def loss_of(batch: Batch) -> Tensor:
        theirs = _teacher_states(pair, batch)
        inputs = [theirs[layer] for layer in pair.starts]
        with captured(pair.student) as ours, replaced_inputs(pair.student, inputs):
            run_body(pair.student, batch)
        return batch.token_share * relative_error(ours[1:], [theirs[end] for end in pair.ends], batch.real)

    _prepare(pair)
    batches = _batches(sequences, batch_tokens, seed, rehearsal)
    with computing_in(pair.teacher, precision):
        return train(title, pair.student, batches, loss_of, schedule, precision=precision, checkpoints=checkpoints)


def distill(
    pair: Pair,
    loss: nn.Module,
    sequences: Sequence[Packed],
    schedule: Schedule,
    *,
    alignment: float,
    batch_tokens: int,
    precision: str,
    seed: int,
    title: str = "distill",
    roundings: Roundings | None = None,
    checkpoints: Checkpoints | None = None,
    signals: Signals | None = None,
    watch: Watch | None = None,
    rehearsal: Rehearsal | None = None,
) -> list[float]:
    """Train the student end to end; returns the loss at each step.

    Args:
        pair: The models.
        loss: Takes ``(student_logits, teacher_logits, labels)``; see :class:`~attar.pipeline.losses.DistillationLoss`.
            Where it is the mean of its tokens' losses, no more than a chunk's logits exist at a time.
        sequences: What to train on.
        schedule: How long and how fast.
        alignment: Weight of the hidden states' cosine distance, where they can be compared.
        batch_tokens: Tokens of one batch.
        precision: "float32" or "bfloat16".
        seed: Seed of the order.
        title: Names progress and checkpoint; no two trainings with the same checkpoints may share it.
        roundings: How the student's weights are rounded before they are computed with.
        checkpoints: Where unfinished training is kept.
        signals: What the teacher says; by default the pair's teacher is asked.
        watch: By what the best weights are known; by default the last are kept.
        rehearsal: What the student's hidden states are held to the teacher's on besides; of a pair whose layers
            correspond.

    Raises:
        UsageError: The signals are cached, and the loss or the alignment needs the teacher at hand.
    """
    aligns = alignment > 0 and bool(pair.layers)
    source = signals or pair.online_signals(precision, with_states=aligns)
    if not source.is_online and (why := why_online(loss, aligns=aligns)):
        raise UsageError("Cached signals are not enough.", why=why, next_step="Give no signals to ask the teacher.")

    def loss_of(batch: Batch) -> Tensor:
        if rehearsal and not batch.has_answers:
            return rehearsal.weight * batch.token_share * _distance(pair, batch)
        signal = source.of(batch)
        with captured(pair.student) as ours:
            student_states = answer_states(run_body(pair.student, batch).last_hidden_state, batch)
        total = batch.answer_share * answer_loss(pair, loss, student_states, signal.targets, batch.labels)
        if aligns:
            targets = [signal.states[end] for end in pair.ends]
            total = total + alignment * batch.token_share * cosine_distance(ours[1:], targets, batch.real)
        return total

    _prepare(pair)
    batches = _batches(sequences, batch_tokens, seed, rehearsal)
    asked = source.at_hand() if aligns or asks_teacher(loss) else nullcontext()
    with computing_in(pair.teacher, precision) if rehearsal else asked:
        return train(
            title,
            pair.student,
            batches,
            loss_of,
            schedule,
            precision=precision,
            roundings=roundings,
            checkpoints=checkpoints,
            watch=watch,
        )


def answer_loss(
    pair: Pair, loss: nn.Module, student: Tensor, targets: Callable[[slice], Targets], labels: Tensor
) -> Tensor:
    """The loss on the student's hidden states ``[N, H]`` at the answers' positions, and what the teacher says of them.

    ``targets`` is that of a :class:`~attar.pipeline.teacher.signals.Signal`.
    """
    kept = pair.vocabulary_size
    if isinstance(loss, DistillationLoss) and loss.is_by_token:
        of_token, asks = loss.per_token, loss.asks_teacher
        head = list(pair.student.get_output_embeddings().parameters())

        def of_chunk(states: Tensor, place: slice) -> Tensor:
            said = targets(place) if asks else None
            return of_token(head_logits(pair.student, states)[:, :kept], said, labels[place])

        return mean_in_chunks(of_chunk, student, head)
    total: Tensor = loss(head_logits(pair.student, student)[:, :kept], targets(slice(None)), labels)
    return total


def _batches(
    sequences: Sequence[Packed], batch_tokens: int, seed: int, rehearsal: Rehearsal | None
) -> Iterator[list[Batch]]:
    batches = endless_parts(sequences, batch_tokens, seed)
    return rehearsal.beside(batches, seed) if rehearsal else batches


def _teacher_states(pair: Pair, batch: Batch) -> list[Tensor]:
    with torch.no_grad(), captured(pair.teacher) as states:
        run_body(pair.teacher, batch.for_model_with(pair.tokens))
    return states


def _distance(pair: Pair, batch: Batch) -> Tensor:
    """The hidden states' cosine distance on a batch."""
    theirs = _teacher_states(pair, batch)
    with captured(pair.student) as ours:
        run_body(pair.student, batch)
    return cosine_distance(ours[1:], [theirs[end] for end in pair.ends], batch.real)


def _prepare(pair: Pair) -> None:
    """Train all of a named student, but only the body of a cut one.

    The teacher's embeddings are good as they are, and those of rare tokens would drift.
    """
    pair.student.train()
    pair.student.requires_grad_(True)
    if pair.is_cut:
        pair.student.get_input_embeddings().requires_grad_(False)
