"""Rehearsal: a student keeps what its teacher understands beyond the samples it is trained on.

A student that learns samples alone answers them better and better and words that none of them has worse
(benchmarks/LOG.md). So beside each batch of samples come requests that the teacher made up, asked of the samples'
records and tools; on those the student's hidden states are held to the teacher's, whatever either would answer.
(Pseudorehearsal: Robins, "Catastrophic forgetting, rehearsal and pseudorehearsal", 1995.) Hands on sequences without
answers. Does not know losses, or how requests are drawn.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from transformers import PreTrainedModel

from ..checkpoints import Checkpoints
from ..config import DistillationConfig
from ..progress import say
from ..student import are_comparable
from ..teacher import LoadedModel, weights_sha256
from ..teacher.requests import made_up_requests, request_turn
from .batches import Batch, Packed, endless_parts

__all__ = ["Rehearsal", "chosen_rehearsal", "rehearsed_sequences"]

_REQUESTS = 1024
"""How many a teacher makes up."""
_SHARE = 4
"""Of so many tokens that are trained on one more is rehearsed."""
_IN_A_SEQUENCE = 8
_MOST_SEQUENCES = 1024


@dataclass(frozen=True)
class Rehearsal:
    """What is rehearsed beside training.

    Attributes:
        sequences: Without answers, in the student's tokens.
        tokens: About how many of them at each step, padding included.
        weight: Of the hidden states' distance in a distillation's loss.
    """

    sequences: Sequence[Packed]
    tokens: int
    weight: float

    def beside(self, batches: Iterator[list[Batch]], seed: int) -> Iterator[list[Batch]]:
        """Each batch with more parts, which have shares of their own."""
        rehearsed = endless_parts(self.sequences, self.tokens, seed)
        return ([*parts, *others] for parts, others in zip(batches, rehearsed, strict=True))


def chosen_rehearsal(
    config: DistillationConfig,
    teacher: LoadedModel,
    student: LoadedModel,
    sequences: Sequence[Packed],
    *,
    held_to: PreTrainedModel,
    precision: str,
    checkpoints: Checkpoints | None = None,
) -> Rehearsal | None:
    """What a student rehearses as its config wants it; None where that is nothing, or nothing can come of it.

    Args:
        config: With the weight.
        teacher: Who makes the requests up.
        student: Whose tokens they come in.
        sequences: The samples, in those tokens.
        held_to: Whose hidden states its own are held to: the teacher's, or those that it had.
        precision: What the teacher computes in.
        checkpoints: Where the requests are kept, as another machine could draw others.
    """
    if not config.rehearsal:
        return None
    if not are_comparable(held_to, student.model):
        say("rehearsal: left out, as teacher and student have no hidden states that can be compared")
        return None

    def make() -> dict[str, list[str]]:
        return {"requests": made_up_requests(teacher, _REQUESTS, precision=precision, seed=config.seed)}

    name = f"requests of {weights_sha256(teacher.model)}"
    requests = (checkpoints.remember(name, make) if checkpoints else make())["requests"]
    tokens = max(1, config.batch_tokens // _SHARE)
    made = rehearsed_sequences(requests, sequences, student, most=tokens, seed=config.seed)
    return Rehearsal(made, tokens, config.rehearsal) if made else None


def rehearsed_sequences(
    requests: Sequence[str], sequences: Sequence[Packed], student: LoadedModel, *, most: int, seed: int
) -> list[Packed]:
    """Sequences in which requests stand where the samples' questions stood; empty without requests.

    Args:
        requests: Texts.
        sequences: Samples in the student's tokens, of which come the records and tools. Where none is short enough,
            requests are asked of nothing.
        student: Whose tokens they are.
        most: Tokens of the longest sequence, if there is a shorter one.
        seed: Seed of what stands with what.
    """
    turns = [request_turn(student, request) for request in requests]
    if not turns:
        return []
    rng = random.Random(seed)
    ending = request_turn(student, "")[1]
    contexts = [shown for each in sequences if (shown := _context(each, ending))]
    rng.shuffle(contexts)
    made: list[Packed] = []
    for context in contexts:
        if len(made) == _MOST_SEQUENCES:
            break
        asked = [turn for _, turn in rng.sample(turns, min(_IN_A_SEQUENCE, len(turns)))]
        if len(context) + sum(map(len, asked)) <= most:
            made.append(_asked(context, asked))
    return made or [_asked(before, [turn]) for before, turn in turns]


def _context(sequence: Packed, ending: Sequence[int]) -> list[int]:
    """The tokens that a sequence's questions share; empty where those go on into the end of their turn."""
    shared = sequence.branches.count(0)
    shortest = min((len(sample.prompt) for sample in sequence.samples), default=0)
    return sequence.ids[:shared] if shortest - shared > len(ending) else []


def _asked(context: Sequence[int], turns: Sequence[Sequence[int]]) -> Packed:
    packed = Packed(list(context), list(range(len(context))), [0] * len(context), [], [], [])
    for branch, turn in enumerate(turns, start=1):
        packed.ids.extend(turn)
        packed.positions.extend(range(len(context), len(context) + len(turn)))
        packed.branches.extend([branch] * len(turn))
    return packed
