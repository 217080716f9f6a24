"""``ModelDistiller``: a teacher and samples in, a trained student out.

Puts loading, correction, the cut, alignment and distillation in their order.
Does not know tables, exports or runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import torch

from attar.runtime.errors import DataError, TokenizerMismatch, UsageError
from attar.runtime.files import write_json

from ..checkpoints import Checkpoints
from ..config import DistillationConfig
from ..data.render import render
from ..data.samples import Sample
from ..losses import DistillationLoss, chosen_divergence
from ..student import cut, even_layers
from ..teacher import LoadedModel, load_model, save_model
from .batches import Packed, pack_all
from .correction import correct
from .distillation import Pair, align, distill
from .loop import Schedule
from .precision import chosen_precision

__all__ = ["SETTINGS_FILE", "ModelDistiller"]

SETTINGS_FILE = "distillation.json"


class ModelDistiller:
    """Distils a teacher into a student.

    Args:
        config: What to distil, and how.
        loss: A loss of one's own; by default :class:`DistillationLoss` as the config sets it.
        checkpoints: Where unfinished training is kept, so that the same calls go on from it after a crash.
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

    def load_student_model(self) -> LoadedModel:
        """Load the named student, or cut one from the teacher, which is loaded first where it was not.

        Raises:
            TokenizerMismatch: Teacher and student read text differently.
            UsageError: The teacher has fewer layers than the student should have.
            ModelError: The named student is not there or can't be loaded.
        """
        teacher = self.teacher or self.load_teacher_model()
        if self.config.student_model_name is None:
            self.student = self._cut(teacher)
        else:
            student = load_model(self.config.student_model_name)
            _require_same_tokens(teacher, student)
            self.student = student
        return self.student

    def correct_teacher(self, training_data: Iterable[Sample]) -> LoadedModel:
        """Fine-tune the teacher on the training split; a student cut before is cut anew.

        Raises:
            DataError: There is no training sample.
        """
        teacher = self.teacher or self.load_teacher_model()
        config = self.config
        torch.manual_seed(config.seed)
        correct(
            teacher.model,
            self._packed(training_data, teacher),
            Schedule(config.correction.steps, config.correction.learning_rate, config.warmup),
            batch_tokens=config.batch_tokens,
            precision=self.precision,
            seed=config.seed,
            checkpoints=self.checkpoints,
        )
        self._corrected = True
        if self.student is not None and config.student_model_name is None:
            self.student = self._cut(teacher)
        return teacher

    def distill(self, training_data: Iterable[Sample]) -> LoadedModel:
        """Train the student on the training split; corrects the teacher first where that was not done.

        Raises:
            DataError: There is no training sample.
            CheckFailed: The loss stopped being a number.
        """
        samples = list(training_data)
        if not self._corrected:
            self.correct_teacher(samples)
        student = self.student or self.load_student_model()
        teacher = self.teacher
        assert teacher is not None  # load_student_model loads it
        config = self.config
        torch.manual_seed(config.seed)
        pair = Pair.of(
            teacher.model,
            student.model,
            teacher.tokenizer.vocabulary_size,
            is_cut=config.student_model_name is None,
        )
        sequences = self._packed(samples, student)
        if pair.is_cut and config.alignment_steps:
            align(
                pair,
                sequences,
                Schedule(config.alignment_steps, config.alignment_learning_rate, config.warmup),
                batch_tokens=config.batch_tokens,
                precision=self.precision,
                seed=config.seed,
                checkpoints=self.checkpoints,
            )
        distill(
            pair,
            self.loss,
            sequences,
            Schedule(config.steps, config.learning_rate, config.warmup),
            alignment=config.alignment,
            batch_tokens=config.batch_tokens,
            precision=self.precision,
            seed=config.seed + 1,
            checkpoints=self.checkpoints,
        )
        student.model.eval()
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
        write_json(target / SETTINGS_FILE, self.config.model_dump(mode="json", exclude={"output"}))
        return target

    def _cut(self, teacher: LoadedModel) -> LoadedModel:
        total = teacher.model.config.num_hidden_layers
        keep = self.config.student_layers or -(-total // 2)
        return LoadedModel(cut(teacher.model, even_layers(total, keep)), teacher.tokenizer, "student")

    def _packed(self, samples: Iterable[Sample], model: LoadedModel) -> list[Packed]:
        rendered = render((sample for sample in samples if sample.split == "train"), model.tokenizer)
        if not rendered:
            raise DataError(
                "There is no training sample.",
                next_step="Give the samples of prepare_distillation_dataset(), or lower data.test_share.",
            )
        return pack_all(rendered, self.config.questions_per_sequence)


def _configured_loss(config: DistillationConfig) -> DistillationLoss:
    parameters = {"skew": config.loss_skew, "beta": config.loss_beta, "powers": config.loss_powers}
    return DistillationLoss(config.temperature, config.alpha, chosen_divergence(config.loss, parameters))


def _require_same_tokens(teacher: LoadedModel, student: LoadedModel) -> None:
    ours, theirs = (json.loads(model.tokenizer.to_json()) for model in (student, teacher))
    if ours["model"] != theirs["model"] or ours["added_tokens"] != theirs["added_tokens"]:
        raise TokenizerMismatch(
            "Teacher and student read text differently, so their logits can't be compared.",
            where=f"teacher {teacher.name}, student {student.name}",
            why=f"Their vocabularies have {teacher.tokenizer.vocabulary_size} and "
            f"{student.tokenizer.vocabulary_size} tokens and are not equal.",
            next_step="Choose a student of the teacher's family, or leave student_model_name out to cut one.",
        )
