"""What it costs to train a model: the work of its tokens, and what is in memory and on disk at the peak.

Does not know stages.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..config import DistillationConfig
from ..student.body import ranks_layers
from ..student.cuts import Cut, planned_cuts
from .shapes import Shape
from .speed import Speed

__all__ = [
    "PlannedLesson",
    "active",
    "caches",
    "passing",
    "planned_lessons",
    "scoring",
    "trained",
    "training_memory",
    "training_seconds",
    "weighing",
]

_SCORED_TOKENS = 112
"""Forward tokens that a scored question costs: 512 took 28 s at 2,058 tokens/s (benchmarks/LOG.md)."""
_WEIGHED = 2
"""Batches on which each of a teacher's layers is left out, to see how much it matters."""
_ASKED_AGAIN = 4
"""Such questions more for each layer that goes: 27 on the way from fifteen layers to eight (benchmarks/LOG.md)."""
_WATCHED = 64
"""Questions that a student is watched by, at most."""
_FITTED_PASSES = 5
"""Passes through the student that fitting its layers is taken for, roughly: the quickstart's took 27 s in all."""
_REHEARSED = 0.25
"""Tokens that are rehearsed for each that is trained on."""
_REQUESTS = 1024 * 32
"""Tokens that a teacher writes to make up what is rehearsed; what reading as many takes is the least of it."""
_ANSWER_SHARE = 0.25
"""Share of a batch's tokens whose logits are computed, where several questions share a record."""
_PART = 1024
"""Tokens of a batch that are computed at a time: what more there are follows."""
_CHUNK = 32
"""Tokens whose logits are there at a time."""
_LOGIT_COPIES = 4
"""fp32 logits, their softmax, its gradient and the half-precision product, for each model."""
_SAMPLE_TOKENS = 36
"""Of a training sample, eight of which share a record: 787,255 for the quickstart's 21,975."""


@dataclass(frozen=True)
class PlannedLesson:
    """Who teaches whom, and for how many steps.

    Attributes:
        teacher: Who teaches.
        student: Who learns.
        cut: For how many steps.
        fits: Whether the student's layers are fitted to the teacher's, if any are.
    """

    teacher: Shape
    student: Shape
    cut: Cut
    fits: bool = False

    def seconds(self, settings: DistillationConfig, samples: int, speed: Speed) -> float:
        """Fitting and training, the teacher reading along where its signals are not cached, and its watch."""
        tokens = (self.cut.alignment_steps + self.cut.steps) * settings.batch_tokens
        saved = 0
        if not settings.alpha and not settings.alignment:  # then the alignment of the layers alone reads along
            saved = self.cut.steps * settings.batch_tokens
        elif caches(settings, self.cut.steps, samples):
            saved = max(0, self.cut.steps * settings.batch_tokens - samples * _SAMPLE_TOKENS)
        reading = 2 * active(self.teacher) * (tokens - saved) / speed.forward
        training = training_seconds(self.student, settings, self.cut.alignment_steps, self.cut.steps, speed)
        return self.fitting(settings, speed) + reading + training + self.rehearsing(settings, speed)

    def fitting(self, settings: DistillationConfig, speed: Speed) -> float:
        """Seconds of fitting the layers: the teacher reads once, the student twice, and least squares are solved."""
        passes = 2 * (self.teacher.body + _FITTED_PASSES * self.student.body)
        return settings.fitting_tokens * passes / speed.forward if self.fits else 0.0

    def rehearsing(self, settings: DistillationConfig, speed: Speed) -> float:
        """Seconds of making requests up, and of both models' passes on them."""
        if not settings.rehearsal:
            return 0.0
        tokens = _REHEARSED * (self.cut.alignment_steps + self.cut.steps) * settings.batch_tokens
        reading = 2 * active(self.teacher) * (tokens + _REQUESTS) / speed.forward
        return reading + 6 * active(self.student) * tokens / speed.training

    def memory(self, settings: DistillationConfig, speed: Speed) -> float:
        """Bytes of both models, the teacher with its hidden states, the student with what trains it."""
        captured = 4 * _at_once(settings) * (self.teacher.layers + self.student.layers) * self.teacher.width
        teaching = 4 * self.teacher.parameters + _rounded(self.teacher, speed) + captured + _logits(self.teacher)
        return teaching + 4 * self.student.parameters + training_memory(settings, self.student, speed)


def planned_lessons(settings: DistillationConfig, teacher: Shape, student: Shape) -> Iterator[PlannedLesson]:
    """The lessons by which a student comes about, the last one last.

    Raises:
        UsageError: ``distillation.cuts`` do not lead from the teacher down to the student.
    """
    cuts = planned_cuts(settings, teacher.layers, student.layers)
    for cut in cuts[:-1]:
        assistant = teacher.cut(cut.layers).trimmed(student.vocabulary)
        yield PlannedLesson(teacher, assistant, cut, fits=True)
        teacher = assistant
    yield PlannedLesson(teacher, student, cuts[-1], fits=settings.student_model_name is None)


def training_seconds(shape: Shape, settings: DistillationConfig, aligned: int, steps: int, speed: Speed) -> float:
    """A student's own forward and backward passes, and its answers to what it is watched by in ``steps``."""
    seconds = 6 * active(shape) * (aligned + steps) * settings.batch_tokens / speed.training
    if settings.evaluate_every and settings.held_out:
        seconds += scoring(shape, _WATCHED * -(-steps // settings.evaluate_every), speed)
    return seconds


def caches(settings: DistillationConfig, steps: int, samples: int) -> bool:
    """Whether signals will be cached, as far as it is known before the samples are tokens and a loss is given."""
    comes_twice = steps * settings.batch_tokens > samples * _SAMPLE_TOKENS
    worth = settings.alignment == 0 and (comes_twice or settings.signal_folder is not None)
    return settings.signals == "cached" or (settings.signals == "auto" and worth)


def scoring(shape: Shape, questions: int, speed: Speed) -> float:
    """Seconds in which a model answers so many questions."""
    return questions * _SCORED_TOKENS * 2 * active(shape) / speed.forward


def weighing(settings: DistillationConfig, teacher: Shape, keep: int, speed: Speed) -> float:
    """Seconds in which it shows which of a teacher's layers matter most; none where that decides nothing.

    One whole pass; one for each layer, and some for each that goes, that begin where the layer in question stands: on
    average half of the body, and the head.
    """
    if not ranks_layers(settings):
        return 0.0
    head = active(teacher) - teacher.body
    again = _ASKED_AGAIN * max(0, teacher.layers - keep)
    parameters = (teacher.layers + 3 + again) / 2 * teacher.body + (teacher.layers + 1 + again) * head
    return _WEIGHED * settings.batch_tokens * 2 * parameters / speed.forward


def active(shape: Shape) -> float:
    """Parameters that a token of a batch meets: the body, and the head where its logits are wanted."""
    return shape.body + _ANSWER_SHARE * shape.vocabulary * shape.width


def trained(shape: Shape) -> int:
    """Parameters that are trained: the embedding stays as it is."""
    return shape.parameters - shape.vocabulary * shape.width


def training_memory(settings: DistillationConfig, shape: Shape, speed: Speed) -> float:
    """Bytes beside the fp32 weights: moments, gradients, rounded copies, and activations.

    Samples, what earlier stages left, and compiled code are left out. That is too little for many samples: the team's
    run peaked at 4.4 GB in its correction and 3.9 GB with its student (VmHWM), where 3.8 and 3.2 GB are planned.
    """
    activations = speed.activations * _at_once(settings) * shape.layers + _logits(shape)
    rounded = _rounded(shape, speed) + (2 * trained(shape) if _rounded(shape, speed) else 0)
    return (8 + 4) * trained(shape) + rounded + activations


def passing(settings: DistillationConfig, shape: Shape) -> int:
    """Disk beyond the model: checkpoints before it is written, the last one's weights beside it.

    A checkpoint has weights and two moments and is written beside the one before; so are the best weights.
    """
    checkpoint = (12 + (4 if settings.held_out else 0)) * trained(shape)
    return max(2 * checkpoint - 4 * shape.parameters, 4 * trained(shape))


def _at_once(settings: DistillationConfig) -> int:
    """Tokens whose activations are there at a time."""
    return min(settings.batch_tokens, _PART)


def _rounded(shape: Shape, speed: Speed) -> int:
    """The weights in bfloat16 beside those in fp32."""
    return 2 * shape.parameters if speed.precision == "bfloat16" else 0


def _logits(shape: Shape) -> int:
    return 4 * _LOGIT_COPIES * _CHUNK * shape.vocabulary
