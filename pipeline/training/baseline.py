"""The baseline: a student of the same body and budget, made by plain fine-tuning.

What a student has to be better than for distillation to have been worth it. It starts from the same body, cut at once
from the same corrected teacher, or from the same named model, and learns the right answers by cross-entropy alone: from
neither the teacher's distributions nor its hidden states, and with no student on its way.

Equal budget means optimizer steps and tokens: as many steps as the student's alignment and distillation together, those
of the students on its way included, on the very batches that these take, in their order, with one warm-up and one decay
over all of them. The peak rate is its own: it has no alignment that a high one could undo. The samples that its best
weights are known by are the student's too. Time is not made equal: no teacher reads along, so the baseline's is
shorter; both are reported.
Does not know tables, or how a student is judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice

import torch
from torch import Tensor
from torch.nn import functional

from ..checkpoints import Checkpoints
from ..config import CorrectionConfig, DistillationConfig
from ..data.render import render
from ..data.samples import Sample
from ..losses import mean_in_chunks
from ..student import layers_of
from ..student.body import Body, cut_student
from ..student.cuts import Cut, planned_cuts
from ..teacher import LoadedModel, weights_sha256
from .batches import Batch, Packed, endless_parts, pack_all
from .compiled import compiled_layers, pays
from .distiller import ModelDistiller
from .forward import answer_states, head_logits, run_body
from .held_out import answer_watch, set_aside
from .loop import Schedule, train
from .precision import chosen_precision
from .teaching import order_seeds

__all__ = ["baseline_schedule", "train_baseline"]


def baseline_schedule(config: DistillationConfig) -> Schedule:
    """The steps of a student's alignment, which a named one has none of, and distillation, at the config's rate."""
    aligned = 0 if config.student_model_name else config.alignment_steps
    return Schedule(aligned + config.steps, config.learning_rate, config.warmup)


def train_baseline(
    config: DistillationConfig,
    training_data: Iterable[Sample],
    checkpoints: Checkpoints | None = None,
    body: Body | None = None,
) -> LoadedModel:
    """Cut or load the student's body, and fine-tune it.

    Args:
        config: As the student's, but for ``learning_rate``; ``teacher_model_name`` names the corrected teacher, which
            is not corrected again.
        training_data: The training split.
        checkpoints: Where unfinished training is kept.
        body: What of the teacher the student is made of: on the way to a deep cut its layers are chosen in students
            that the baseline does not have. By default the one that the config asks to cut at once.

    Raises:
        CheckFailed: The loss stopped being a number.
        ModelError: The teacher or the named student can't be loaded.
    """
    samples = list(training_data)
    student, cuts = _untrained(config, samples, body)
    trained, watched = set_aside(samples, config.held_out, config.seed)
    model, schedule, precision = student.model, baseline_schedule(config), chosen_precision(config.precision)
    model.train()
    model.requires_grad_(True)
    if config.student_model_name is None:
        model.get_input_embeddings().requires_grad_(False)  # as in distillation: the teacher's are good as they are
    sequences = pack_all(render(trained, student.tokenizer), config.questions_per_sequence)
    torch.manual_seed(config.seed)
    with compiled_layers(
        model, when=pays(config.compiled, schedule.steps * config.batch_tokens, model.num_parameters())
    ):
        train(
            "fine-tune baseline",
            model,
            _batches(config, cuts, sequences),
            partial(_cross_entropy, student),
            schedule,
            precision=precision,
            checkpoints=checkpoints and checkpoints.of(student=weights_sha256(model)),
            watch=answer_watch(student, watched, config.evaluate_every, precision),
        )
    model.eval()
    return student


def _cross_entropy(student: LoadedModel, batch: Batch) -> Tensor:
    """The mean over answer tokens, times the part's share, as the hard term of distillation has it."""
    model, tokens = student.model, student.tokenizer.vocabulary_size
    states = answer_states(run_body(model, batch).last_hidden_state, batch)

    def of_chunk(chunk: Tensor, place: slice) -> Tensor:
        logits = head_logits(model, chunk)[:, :tokens]
        return functional.cross_entropy(logits, batch.labels[place], reduction="none")

    return batch.answer_share * mean_in_chunks(of_chunk, states, list(model.get_output_embeddings().parameters()))


def _untrained(config: DistillationConfig, samples: list[Sample], body: Body | None) -> tuple[LoadedModel, list[Cut]]:
    """The untrained student, and the cuts that a distilled one comes by; the teacher is not kept."""
    distiller = ModelDistiller(config.model_copy(update={"correction": CorrectionConfig(steps=0)}))
    teacher = distiller.load_teacher_model()
    student = cut_student(teacher, body) if body else distiller.load_student_model(samples)
    total, keep = (len(layers_of(loaded.model)[1]) for loaded in (teacher, student))
    return student, planned_cuts(config, total, keep)


def _batches(config: DistillationConfig, cuts: Sequence[Cut], sequences: Sequence[Packed]) -> Iterator[list[Batch]]:
    """The batches of each cut's alignment, then those of its distillation."""
    for number, cut in enumerate(cuts):
        for seed, steps in zip(order_seeds(config, number), (cut.alignment_steps, cut.steps), strict=True):
            yield from islice(endless_parts(sequences, config.batch_tokens, seed), steps)
