"""The baseline: a student of the same body and budget, made by plain fine-tuning.

What a student has to be better than for distillation to have been worth it. It starts from the same body, cut alike
from the same corrected teacher, or the same named model, and learns the right answers by cross-entropy alone: from
neither the teacher's distributions nor its hidden states.

Equal budget means optimizer steps and tokens: as many steps as the student's alignment and distillation together, on
the very batches that these take, in their order, at the distillation's peak rate with one warm-up and one decay over
all of them. Time is not made equal: no teacher reads along, so the baseline's is shorter; both are reported.
Does not know tables, or how a student is judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain, islice

import torch
from torch import Tensor
from torch.nn import functional

from ..checkpoints import Checkpoints
from ..config import CorrectionConfig, DistillationConfig
from ..data.render import render
from ..data.samples import Sample
from ..losses import mean_in_chunks
from ..teacher import LoadedModel
from .batches import Batch, Packed, endless_batches, pack_all
from .compiled import compiled_layers, pays
from .distiller import ModelDistiller
from .forward import answer_states, head_logits, run_body
from .loop import Schedule, train
from .precision import chosen_precision

__all__ = ["baseline_schedule", "train_baseline"]


def baseline_schedule(config: DistillationConfig) -> Schedule:
    """The steps of a student's alignment and distillation together, at the latter's rate."""
    return Schedule(_aligned(config) + config.steps, config.learning_rate, config.warmup)


def train_baseline(
    config: DistillationConfig, training_data: Iterable[Sample], checkpoints: Checkpoints | None = None
) -> LoadedModel:
    """Cut or load the body that a student of this config would have, and fine-tune it.

    Args:
        config: As the student's; ``teacher_model_name`` names the corrected teacher, which is not corrected again.
        training_data: The training split.
        checkpoints: Where unfinished training is kept.

    Raises:
        CheckFailed: The loss stopped being a number.
        ModelError: The teacher or the named student can't be loaded.
    """
    samples = list(training_data)
    student = _body(config, samples)
    model, schedule = student.model, baseline_schedule(config)
    model.train()
    model.requires_grad_(True)
    if config.student_model_name is None:
        model.get_input_embeddings().requires_grad_(False)  # as in distillation: the teacher's are good as they are
    sequences = pack_all(render(samples, student.tokenizer), config.questions_per_sequence)
    torch.manual_seed(config.seed)
    with compiled_layers(
        model, when=pays(config.compiled, schedule.steps * config.batch_tokens, model.num_parameters())
    ):
        train(
            "fine-tune baseline",
            model,
            _batches(config, sequences),
            partial(_cross_entropy, student),
            schedule,
            precision=chosen_precision(config.precision),
            checkpoints=checkpoints,
        )
    model.eval()
    return student


def _cross_entropy(student: LoadedModel, batch: Batch) -> Tensor:
    """The mean over answer tokens, as the hard term of distillation has it."""
    model, tokens = student.model, student.tokenizer.vocabulary_size
    states = answer_states(run_body(model, batch).last_hidden_state, batch)

    def of_chunk(chunk: Tensor, place: slice) -> Tensor:
        logits = head_logits(model, chunk)[:, :tokens]
        return functional.cross_entropy(logits, batch.labels[place], reduction="none")

    return mean_in_chunks(of_chunk, states, list(model.get_output_embeddings().parameters()))


def _body(config: DistillationConfig, samples: list[Sample]) -> LoadedModel:
    """The untrained student; the teacher is not kept."""
    distiller = ModelDistiller(config.model_copy(update={"correction": CorrectionConfig(steps=0)}))
    return distiller.load_student_model(samples)


def _batches(config: DistillationConfig, sequences: list[Packed]) -> Iterator[Batch]:
    """The batches of the student's alignment, then those of its distillation."""
    first = endless_batches(sequences, config.batch_tokens, config.seed)
    then = endless_batches(sequences, config.batch_tokens, config.seed + 1)
    return chain(islice(first, _aligned(config)), then)


def _aligned(config: DistillationConfig) -> int:
    """Steps of a student's alignment: a named student has none."""
    return 0 if config.student_model_name else config.alignment_steps
