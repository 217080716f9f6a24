"""``ModelDistiller``: a teacher and samples in, a trained student out.

Puts loading, correction, the cut, alignment and distillation in their order.
Does not know tables, exports or runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
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
from ..student.body import Body, chosen_body, chosen_tokens, cut_student, follows_from_data, trimmed
from ..teacher import LoadedModel, load_model, save_model
from ..teacher.signals import chosen_signals
from .batches import Packed, pack_all
from .compiled import compiled_layers, pays
from .correction import correct
from .distillation import Pair, align, distill
from .importance import layer_importance
from .loop import Schedule
from .precision import chosen_precision

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
            training_data: Needed only where the student's tokens, layers or size follow from it.

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

        Raises:
            DataError: There is no training sample, or one is longer than the teacher can read.
        """
        teacher = self.teacher or self.load_teacher_model()
        config, samples = self.config, list(training_data)
        torch.manual_seed(config.seed)
        with compiled_layers(teacher.model, when=self._compiles(config.correction.steps)):
            correct(
                teacher.model,
                self._packed(samples, teacher),
                Schedule(config.correction.steps, config.correction.learning_rate, config.warmup),
                batch_tokens=config.batch_tokens,
                precision=self.precision,
                seed=config.seed,
                checkpoints=self.checkpoints,
            )
        self._corrected = True
        if self.student is not None and config.student_model_name is None:
            self.student = self._cut(teacher, samples)
        return teacher

    def distill(self, training_data: Iterable[Sample]) -> LoadedModel:
        """Train the student on the training split; corrects the teacher first where that was not done.

        Raises:
            DataError: There is no training sample, or one is longer than the student can read.
            CheckFailed: The loss stopped being a number.
            UsageError: Cached signals are asked for, and the loss needs the teacher at hand.
            SignalError: Those in ``config.signal_folder`` are damaged, or of another teacher or other settings.
        """
        samples = list(training_data)
        if not self._corrected:
            self.correct_teacher(samples)
        student = self.student or self.load_student_model(samples)
        teacher = self.teacher
        assert teacher is not None  # load_student_model loads it
        config = self.config
        torch.manual_seed(config.seed)
        pair = Pair.of(
            teacher.model,
            student.model,
            student.tokenizer.vocabulary_size,
            is_cut=config.student_model_name is None,
            layers=self.body.layers if self.body else (),
            tokens=teacher_tokens(teacher.tokenizer, student.tokenizer),
        )
        sequences = self._packed(samples, student)
        with compiled_layers(teacher.model, student.model, when=self._compiles(config.steps + config.alignment_steps)):
            self._train(pair, sequences)
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
        write_json(target / SETTINGS_FILE, self.config.model_dump(mode="json", exclude=set(PLACES)))
        if self.teacher and (tokens := teacher_tokens(self.teacher.tokenizer, self.student.tokenizer)):
            write_json(target / VOCABULARY_FILE, {"teacher_tokens": tokens})
        return target

    def _train(self, pair: Pair, sequences: list[Packed]) -> None:
        """Alignment, where the student is a cut, and distillation."""
        config = self.config
        assert self.teacher is not None  # the pair's
        signals = chosen_signals(
            pair.online_signals(self.precision, with_states=config.alignment > 0),
            config,
            self.loss,
            self.teacher.tokenizer,
            sequences,
            seed=config.seed + 1,
            folder=self.checkpoints.folder / "signals" if self.checkpoints else None,
        )
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
            signals=signals,
        )

    def _compiles(self, steps: int) -> bool:
        parameters = self.teacher.parameters if self.teacher else 0
        return pays(self.config.compiled, steps * self.config.batch_tokens, parameters)

    def _cut(self, teacher: LoadedModel, samples: list[Sample]) -> LoadedModel:
        def importance() -> list[float]:
            sequences, config = self._packed(samples, teacher), self.config
            return layer_importance(
                teacher.model,
                sequences,
                batch_tokens=config.batch_tokens,
                precision=self.precision,
                seed=config.seed,
            )

        self.body = chosen_body(self.config, teacher, self._used(samples, teacher), importance)
        return cut_student(teacher, self.body)

    def _used(self, samples: Iterable[Sample], model: LoadedModel) -> Counter[int]:
        """How often the training samples use each token; not counted where nothing follows from it."""
        if self.config.student_vocabulary is None and self.config.student_size is None:
            return Counter()
        rendered = render((sample for sample in samples if sample.split == "train"), model.tokenizer)
        return Counter(token for sample in rendered for token in (*sample.prompt, *sample.answer))

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
