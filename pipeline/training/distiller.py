"""``ModelDistiller``: a teacher and samples in, a trained student out.

Puts loading, correction, the cut and the lessons in their order.
Does not know tables, exports or runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from attar.runtime.errors import DataError, UsageError
from attar.runtime.files import write_json

from ..checkpoints import Checkpoints
from ..config import DistillationConfig
from ..data.render import render
from ..data.samples import Sample
from ..losses import DistillationLoss, chosen_divergence
from ..student import teacher_tokens
from ..student.body import Body, chosen_body, chosen_tokens, cut_student, follows_from_data, ranks_layers, trimmed
from ..teacher import LoadedModel, load_model, save_model, weights_sha256
from .batches import Packed, by_length, collate, pack_all
from .compiled import compiled_layers, pays
from .correction import correct
from .held_out import loss_watch, set_aside
from .importance import layer_ranking
from .loop import Schedule, Watch
from .precision import chosen_precision
from .rehearsal import Rehearsal, chosen_rehearsal
from .teaching import lessons, teach

__all__ = ["PLACES", "SETTINGS_FILE", "VOCABULARY_FILE", "ModelDistiller"]

SETTINGS_FILE = "distillation.json"
VOCABULARY_FILE = "vocabulary.json"
"""Of a student with fewer tokens than its teacher: the teacher's id of each of its tokens."""
PLACES = frozenset({"output", "signal_folder"})
"""Settings that say where things are kept, and nothing of the student."""


class ModelDistiller:
    """Distils a teacher into a student.

    Args:
        config: What to distil, and how.
        loss: A loss of one's own; by default :class:`DistillationLoss` as the config sets it.
        checkpoints: Where unfinished training is kept, so that the same calls go on from it after a crash.

    Attributes:
        teacher: The teacher, once loaded.
        student: The student, once cut or loaded.
        body: What of the teacher the student is made of, once it is cut.
    """

    def __init__(
        self,
        config: DistillationConfig,
        loss: DistillationLoss | None = None,
        checkpoints: Checkpoints | None = None,
    ) -> None:
        self.config = config
        self.checkpoints = checkpoints
        self.loss = loss or _configured_loss(config)
        self.precision = chosen_precision(config.precision)
        self.teacher: LoadedModel | None = None
        self.student: LoadedModel | None = None
        self.body: Body | None = None
        self._corrected = config.correction.steps == 0

    def load_teacher_model(self) -> LoadedModel:
        """Load the teacher.

        Raises:
            ModelError: It is not there or can't be loaded.
            Refused: Its only weights are pickled.
        """
        self.teacher = load_model(self.config.teacher_model_name)
        self.teacher.model.requires_grad_(False).eval()
        return self.teacher

    def load_student_model(self, training_data: Iterable[Sample] | None = None) -> LoadedModel:
        """Load the named student, or cut one from the teacher, which is loaded first where it was not.

        Args:
            training_data: Needed only where the student's tokens or size follow from it. Without it, layers that are
                chosen by importance are evenly spaced for the time being: :meth:`distill` cuts the student anew.

        Raises:
            TokenizerMismatch: Teacher and student read text differently.
            UsageError: The teacher has fewer layers than the student should have, its vocabulary can't be trimmed,
                or the training data is needed.
            ModelError: The named student is not there or can't be loaded.
        """
        if training_data is None and follows_from_data(self.config):
            raise UsageError(
                "What the student keeps of its teacher follows from the training data.",
                next_step="Give load_student_model the training data, or leave the call out: distill makes it.",
            )
        teacher = self.teacher or self.load_teacher_model()
        samples = list(training_data or ())
        if self.config.student_model_name is None:
            self.student = self._cut(teacher, samples)
        else:
            student = load_model(self.config.student_model_name)
            teacher_tokens(teacher.tokenizer, student.tokenizer)  # refused before anything is trained
            self.student = trimmed(student, chosen_tokens(self.config, student, self._used(samples, student)))
        return self.student

    def correct_teacher(self, training_data: Iterable[Sample]) -> LoadedModel:
        """Fine-tune the teacher on the training split; a student cut before is cut anew.

        It ends early, and with the best weights, by its loss on the training samples that are held out.

        Raises:
            DataError: There is no training sample, or one is longer than the teacher can read.
            CheckFailed: The loss stopped being a number.
            Refused: A checkpoint is of another teacher.
            TooLittleMemory: It can't fit; nothing was trained.
        """
        teacher = self.teacher or self.load_teacher_model()
        config, samples = self.config, list(training_data)
        trained, watched = self._set_aside(samples)
        correction = config.correction
        torch.manual_seed(config.seed)
        tokens = correction.steps * config.batch_tokens
        with compiled_layers(teacher.model, when=pays(config.compiled, tokens, teacher.parameters)):
            correct(
                teacher.model,
                self._packed(trained, teacher),
                Schedule(correction.steps, correction.learning_rate, config.warmup),
                batch_tokens=config.batch_tokens,
                precision=self.precision,
                seed=config.seed,
                checkpoints=self.checkpoints and self.checkpoints.of(teacher=weights_sha256(teacher.model)),
                watch=self._watch(teacher, watched),
            )
        self._corrected = True
        if self.student is not None and config.student_model_name is None:
            self.load_student_model(samples)
        return teacher

    def distill(self, training_data: Iterable[Sample]) -> LoadedModel:
        """Train the student on the training split; corrects the teacher first where that was not done.

        A student that was cut without the training data is cut anew by it.

        A deep cut is made in steps (``cuts``): each student on the way is trained and teaches the next, whose layers
        are those that matter most in it, where layers are chosen by importance.

        Raises:
            DataError: There is no training sample, or one is longer than the student can read.
            UsageError: ``cuts`` do not lead from the teacher to the student, or cached signals are asked for, and the
                loss needs the teacher at hand.
            CheckFailed: The loss stopped being a number.
            SignalError: Those in ``config.signal_folder`` are damaged, or of another teacher or other settings.
            Refused: A checkpoint is of another teacher or student.
            TooLittleMemory: A training can't fit; it was not begun.
        """
        samples = list(training_data)
        if not self._corrected:
            self.correct_teacher(samples)
        student = self.student
        if student is None or self._is_provisional:
            student = self.load_student_model(samples)
        assert self.teacher is not None  # load_student_model loads it
        trained, watched = self._set_aside(samples)
        torch.manual_seed(self.config.seed)
        origins: Sequence[int] = ()
        sequences: list[Packed] = []  # all students on the way read the same tokens
        rehearsal: Rehearsal | None = None
        for lesson in lessons(self.config, self.teacher, student, self.body, partial(self._ranking, samples)):
            self.student = student = lesson.student
            origins = lesson.origins
            sequences = sequences or self._packed(trained, student)
            rehearsal = rehearsal or chosen_rehearsal(
                self.config,
                self.teacher,
                student,
                sequences,
                held_to=lesson.teacher.model,
                precision=self.precision,
                checkpoints=self.checkpoints,
            )
            teach(
                lesson,
                self.config,
                self.loss,
                sequences,
                watched,
                precision=self.precision,
                checkpoints=self.checkpoints,
                rehearsal=rehearsal,
            )
        if self.body:
            self.body = replace(self.body, layers=list(origins))
        return student

    def save_distilled_model(self, folder: Path | None = None) -> Path:
        """Write student, tokenizer and configuration; returns the folder.

        Raises:
            UsageError: There is no student yet.
        """
        if self.student is None:
            raise UsageError("There is no student to save.", next_step="Call distill first.")
        target = folder or self.config.output
        save_model(self.student, target)
        write_json(target / SETTINGS_FILE, self.config.model_dump(mode="json", exclude=set(PLACES)))
        if self.teacher and (tokens := teacher_tokens(self.teacher.tokenizer, self.student.tokenizer)):
            write_json(target / VOCABULARY_FILE, {"teacher_tokens": tokens})
        return target

    @property
    def _is_provisional(self) -> bool:
        """Whether the student's layers are to be chosen by importance, and were cut without samples to tell it."""
        return ranks_layers(self.config) and self.body is not None and not self.body.ranking

    def _cut(self, teacher: LoadedModel, samples: list[Sample]) -> LoadedModel:
        rank = partial(self._ranking, samples, teacher) if samples else None
        self.body = chosen_body(self.config, teacher, self._used(samples, teacher), rank)
        return cut_student(teacher, self.body)

    def _ranking(self, samples: list[Sample], model: LoadedModel, keep: int) -> list[int]:
        """A model's layers, the most important first, for a cut to so many.

        Kept with the checkpoints, as another number of threads could rank two of them otherwise.
        """

        def rank() -> dict[str, list[int]]:
            sequences, config = self._packed(samples, model), self.config
            found = layer_ranking(
                model.model,
                sequences,
                keep,
                batch_tokens=config.batch_tokens,
                precision=self.precision,
                seed=config.seed,
            )
            return {"ranking": found}

        if self.checkpoints is None:
            return rank()["ranking"]
        name = f"ranking of layers to {keep} of {weights_sha256(model.model)}"
        found: list[int] = self.checkpoints.remember(name, rank)["ranking"]
        return found

    def _used(self, samples: Iterable[Sample], model: LoadedModel) -> Counter[int]:
        """How often the training samples use each token; not counted where nothing follows from it."""
        if self.config.student_vocabulary is None and self.config.student_size is None:
            return Counter()
        rendered = render((sample for sample in samples if sample.split == "train"), model.tokenizer)
        return Counter(token for sample in rendered for token in (*sample.prompt, *sample.answer))

    def _set_aside(self, samples: Iterable[Sample]) -> tuple[list[Sample], list[Sample]]:
        """What of the training split is trained on, and what that is watched by."""
        train = [sample for sample in samples if sample.split == "train"]
        return set_aside(train, self.config.held_out, self.config.seed)

    def _watch(self, teacher: LoadedModel, watched: Sequence[Sample]) -> Watch | None:
        correction, packed = self.config.correction, self._packed(watched, teacher) if watched else []
        batches = [collate(group) for group in by_length(packed, self.config.batch_tokens)]
        return loss_watch(teacher.model, batches, correction.evaluate_every, correction.patience, self.precision)

    def _packed(self, samples: Iterable[Sample], model: LoadedModel) -> list[Packed]:
        training = (sample for sample in samples if sample.split == "train")
        rendered = render(training, model.tokenizer, most=model.most_tokens)
        if not rendered:
            raise DataError(
                "There is no training sample.",
                next_step="Give the samples of prepare_distillation_dataset(), or lower data.test_share.",
            )
        return pack_all(rendered, self.config.questions_per_sequence)


def _configured_loss(config: DistillationConfig) -> DistillationLoss:
    parameters = {"skew": config.loss_skew, "beta": config.loss_beta, "powers": config.loss_powers}
    return DistillationLoss(config.temperature, config.alpha, chosen_divergence(config.loss, parameters))
