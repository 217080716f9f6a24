"""What each stage needs: time, memory and disk, by the sizes of the models and the numbers in the config.

The formulas count what is known (weights, gradients, moments, steps, tokens); the constants were measured
where their comments say. Does not know what is free, or which products are there already.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..config import DistillationConfig, RunConfig
from ..student.cuts import Cut
from ..student.size import Parameters, fitting
from .shapes import Shape, shape_of
from .speed import Speed
from .training import (
    PlannedLesson,
    active,
    caches,
    passing,
    planned_lessons,
    scoring,
    trained,
    training_memory,
    training_seconds,
    weighing,
)

__all__ = ["Need", "Sizes", "needs_of", "sizes_of"]

_LIBRARIES = 0.55e9
"""Resident bytes of Python with torch and transformers, no model loaded."""
_LOAD_SECONDS = 1e-7
"""Per parameter: 13 s for the packaged teacher's GGUF, which is dequantized; a folder takes less."""
_READ_TOKENS = 40
"""Forward tokens of a question that is read with its right answer, padding included: the quickstart's 512."""
_BUNDLE_TOKENS = 720
"""The same for a question to the bundle, one at a time and threads not spinning: 63 ms and 10 tokens (README)."""
_EXPORT_SECONDS = 4e-7
"""Per parameter: 38 s for 81M, export and quantization together."""
_PARITY_TOKENS = 7
"""Tokens that are read for each one that is compared: 18,161 for the quickstart's 2,538, what is shared read once."""
_PARITY_READERS = 3
"""Torch, the fast graph, and the form that is shipped."""
_EXPORT_COPIES = 5
"""Graphs of the whole model in memory while Optimum writes and onnxruntime quantizes."""
_WORKER_SECONDS = 8.0
"""One variant in a fresh process: imports, load, a warm call and the decoded tokens, at 135M parameters."""
_BYTES_PER_WEIGHT = {"none": 4.0, "int8": 1.17, "int4": 0.65, "int8-dynamic": 1.1, "mixed": 1.0} | {
    "mixed-dynamic": 0.92,
    "int4-all": 0.62,
    "auto": 1.17,
}
"""A bundle's size by its form (benchmarks/LOG.md); small models carry relatively more of the tokenizer."""
_DATA_VOCABULARY = 6000
"""Tokens that the data needs, which only its rendered samples tell: 5,278 in the quickstart, 6,606 in full.json."""
_ANSWER_TOKENS = 5
"""Of a training sample that are answer: 108,986 for the quickstart's 21,975."""
_CARD_SECONDS = 1.0
_DATA_COPIES = 20
"""Of the records' bytes: rows as Python objects, and every question with its record."""


@dataclass(frozen=True)
class Need:
    """What one stage needs.

    Attributes:
        seconds: How long it takes.
        memory: Bytes of memory at its peak.
        kept: Bytes that it leaves on disk.
        passing: Bytes on disk at its peak beyond those: checkpoints, and files on the way.
    """

    seconds: float
    memory: float
    kept: float
    passing: float


@dataclass(frozen=True)
class Sizes:
    """What the needs are computed from.

    Attributes:
        teacher: The teacher's shape.
        student: The student's.
        questions: In the test split.
        samples: In the training split.
        data_seconds: What loading the tables and asking all questions took just now.
        data_bytes: Of the tables' records as text.
    """

    teacher: Shape
    student: Shape
    questions: int
    samples: int
    data_seconds: float
    data_bytes: int


def sizes_of(config: RunConfig, questions: int, samples: int, data_seconds: float, data_bytes: int) -> Sizes:
    """Both models' shapes by the config.

    Raises:
        ModelError: A model's config can't be read.
    """
    settings = config.distillation
    teacher = shape_of(settings.teacher_model_name)
    if settings.student_model_name:
        student = _trimmed(settings, shape_of(settings.student_model_name))
    else:
        student = _cut(settings, teacher)
    return Sizes(teacher, student, questions, samples, data_seconds, data_bytes)


def _cut(settings: DistillationConfig, teacher: Shape) -> Shape:
    """The shape of a student that is cut, as far as it is known before the samples are tokens."""
    if settings.student_size is not None:
        place = Parameters(
            teacher.parameters,
            teacher.layers,
            teacher.layer_parameters,
            teacher.vocabulary,
            teacher.tables * teacher.width,
        )
        layers, tokens = fitting(settings.student_size, place, min(_DATA_VOCABULARY, teacher.vocabulary))
        return teacher.cut(layers).trimmed(tokens)
    wanted = settings.student_layers
    count = len(wanted) if isinstance(wanted, list) else wanted or -(-teacher.layers // 2)
    return _trimmed(settings, teacher.cut(min(count, teacher.layers)))


def _trimmed(settings: DistillationConfig, shape: Shape) -> Shape:
    if settings.student_vocabulary is None:
        return shape
    return shape.trimmed(_DATA_VOCABULARY if settings.student_vocabulary == "data" else settings.student_vocabulary)


def needs_of(config: RunConfig, sizes: Sizes, speed: Speed) -> dict[str, Need]:
    """What each stage of a run needs, by the stage's name."""
    made: dict[str, Callable[[RunConfig, Sizes, Speed], Need]] = {
        "data": _data,
        "teacher": _teacher,
        "student": _student,
        "finish": _finish,
        "export": _export,
        "baseline": _baseline,
        "measurement": _measurement,
        "card": _card,
    }
    return {name: make(config, sizes, speed) for name, make in made.items()}


def _data(config: RunConfig, sizes: Sizes, speed: Speed) -> Need:
    copies = _DATA_COPIES * sizes.data_bytes
    return Need(sizes.data_seconds, _LIBRARIES / 4 + copies, copies, 0)


def _teacher(config: RunConfig, sizes: Sizes, speed: Speed) -> Need:
    settings, shape = config.distillation, sizes.teacher
    tokens = settings.correction.steps * settings.batch_tokens
    questions = sizes.questions
    if settings.correction.steps:
        questions += min(config.measurement.uncorrected_questions or sizes.questions, sizes.questions)
    seconds = _LOAD_SECONDS * shape.parameters + scoring(shape, questions, speed)
    seconds += 6 * active(shape) * tokens / speed.training
    weights = 4 * shape.parameters
    training = training_memory(settings, shape, speed) if tokens else weights
    memory = _LIBRARIES + weights + max(weights, training)
    return Need(seconds, memory, weights, passing(settings, shape) if tokens else 0)


def _student(config: RunConfig, sizes: Sizes, speed: Speed) -> Need:
    settings, student = config.distillation, sizes.student
    lessons = list(planned_lessons(settings, sizes.teacher, student))
    seconds = sum(lesson.seconds(settings, sizes.samples, speed) for lesson in lessons)
    held = 4 * sizes.teacher.parameters  # the first teacher stays where other lessons follow
    memory = max(lesson.memory(settings, speed) + (held if place else 0) for place, lesson in enumerate(lessons))
    phases = 0  # each leaves the weights that it ended with, and the last one's are counted below
    signals = 0
    for lesson in lessons:
        kept = (
            bool(settings.fitting_tokens and lesson.fits),
            lesson.cut.alignment_steps > 0,
            lesson is not lessons[-1],
        )
        phases += 4 * trained(lesson.student) * sum(kept)
        if caches(settings, lesson.cut.steps, sizes.samples):
            signals += sizes.samples * _ANSWER_TOKENS * (4 * settings.signal_tokens + 6)
    seconds += sum(weighing(settings, lesson.teacher, lesson.cut.layers, speed) for lesson in lessons)
    return Need(
        seconds + scoring(student, sizes.questions, speed),
        _LIBRARIES + memory,
        4 * student.parameters,
        passing(settings, student) + phases + signals,
    )


def _finish(config: RunConfig, sizes: Sizes, speed: Speed) -> Need:
    """A second student reads along as the teacher, or the teacher does; no question is scored."""
    settings = config.finish.applied_to(config.distillation).model_copy(update={"held_out": 0.0, "signals": "online"})
    student = sizes.student
    teacher = sizes.teacher if config.finish.teacher == "teacher" else student
    lesson = PlannedLesson(teacher, student, Cut(student.layers, 0, config.finish.steps))
    seconds = lesson.seconds(settings, sizes.samples, speed)
    memory = _LIBRARIES + lesson.memory(settings, speed)
    return Need(seconds, memory, 4 * student.parameters, passing(settings, student))


def _baseline(config: RunConfig, sizes: Sizes, speed: Speed) -> Need:
    """As the student, without a teacher that reads along; one is loaded only to be cut."""
    settings, student = config.distillation, sizes.student
    aligned = 0 if settings.student_model_name else settings.alignment_steps
    seconds = training_seconds(student, settings, 0, aligned + settings.steps, speed)
    training = 4 * student.parameters + training_memory(settings, student, speed)
    memory = _LIBRARIES + max(4 * (sizes.teacher.parameters + student.parameters), training)
    seconds += scoring(student, sizes.questions, speed)
    return Need(seconds, memory, 4 * student.parameters, passing(settings, student))


def _export(config: RunConfig, sizes: Sizes, speed: Speed) -> Need:
    weights = 4 * sizes.student.parameters
    kept = _BYTES_PER_WEIGHT[config.export.quantize] * sizes.student.parameters + sizes.data_bytes
    compared = config.export.parity_tokens
    reading = _PARITY_READERS * _PARITY_TOKENS * compared * 2 * active(sizes.student) / speed.forward
    logits = 4 * compared * sizes.student.vocabulary
    return Need(
        _EXPORT_SECONDS * sizes.student.parameters + reading,
        _LIBRARIES + _EXPORT_COPIES * weights,
        kept,
        2 * weights + logits + kept,
    )


def _measurement(config: RunConfig, sizes: Sizes, speed: Speed) -> Need:
    settings, student, teacher = config.measurement, sizes.student, sizes.teacher
    answering = sizes.questions * _BUNDLE_TOKENS * 2 * active(student) / speed.forward
    read = [teacher, student, *([student] if settings.baseline else [])]
    reading = sizes.questions * _READ_TOKENS * 2 * sum(map(active, read)) / speed.forward
    workers = 2 * settings.repetitions * _WORKER_SECONDS * max(1.0, teacher.parameters / 135e6)
    bundle = _BYTES_PER_WEIGHT[config.export.quantize] * student.parameters
    memory = 2 * _LIBRARIES + max(4 * teacher.parameters + 3 * bundle, 4 * sum(shape.parameters for shape in read))
    return Need(answering + reading + workers, memory, 0, 0)


def _card(config: RunConfig, sizes: Sizes, speed: Speed) -> Need:
    bundle = _BYTES_PER_WEIGHT[config.export.quantize] * sizes.student.parameters + sizes.data_bytes
    return Need(_CARD_SECONDS, _LIBRARIES / 4, bundle, bundle)
