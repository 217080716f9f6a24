"""Teacher correction: the teacher is fine-tuned on the training split before it teaches.

An uncorrected teacher is the usual reason why a distilled student ends below a fine-tuned one
(Minitron, arXiv 2408.11796, section 3). Changes the model in place. Does not know students.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional
from transformers import PreTrainedModel

from ..checkpoints import Checkpoints
from ..losses import mean_in_chunks
from .batches import Batch, Packed, endless_parts
from .forward import answer_states, head_logits, run_body
from .loop import Schedule, Watch, train

__all__ = ["correct"]


def correct(
    teacher: PreTrainedModel,
    sequences: Sequence[Packed],
    schedule: Schedule,
    *,
    batch_tokens: int,
    precision: str,
    seed: int,
    checkpoints: Checkpoints | None = None,
    watch: Watch | None = None,
) -> list[float]:
    """Fine-tune on answers by cross-entropy, the embeddings frozen; returns the loss at each step.

    With a watch it ends early, as that says, and with the best weights.
    """

    def loss_of(batch: Batch) -> Tensor:
        states = answer_states(run_body(teacher, batch).last_hidden_state, batch)
        head = list(teacher.get_output_embeddings().parameters())

        def of_chunk(chunk: Tensor, place: slice) -> Tensor:
            return functional.cross_entropy(head_logits(teacher, chunk), batch.labels[place], reduction="none")

        return batch.answer_share * mean_in_chunks(of_chunk, states, head)

    teacher.requires_grad_(True)
    teacher.get_input_embeddings().requires_grad_(False)
    teacher.train()
    try:
        return train(
            "correct teacher",
            teacher,
            endless_parts(sequences, batch_tokens, seed),
            loss_of,
            schedule,
            precision=precision,
            checkpoints=checkpoints,
            watch=watch,
        )
    finally:
        teacher.eval()
        teacher.requires_grad_(False)
