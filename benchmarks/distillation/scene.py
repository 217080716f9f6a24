"""What is distilled: a teacher, half of its layers as the student, and a few records' questions. Does not train."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attar.pipeline import ModelDistiller, StructuredDataLoader, load_config
from attar.pipeline.data.render import RenderedSample, render
from attar.pipeline.student import teacher_tokens
from attar.pipeline.training.batches import Packed, by_length, pack_all
from attar.pipeline.training.distillation import Pair

__all__ = ["Scene", "scene", "tokens_alone"]

_RECIPE = Path(__file__).parent.parent.parent / "configs" / "quickstart.json"


@dataclass(frozen=True)
class Scene:
    """What is distilled.

    Attributes:
        pair: The models, in fp32.
        distiller: Which made them.
        sequences: The records, each with its questions.
        steps: Batches of an epoch.
    """

    pair: Pair
    distiller: ModelDistiller
    sequences: list[Packed]
    steps: int

    @property
    def samples(self) -> list[RenderedSample]:
        return [sample for sequence in self.sequences for sample in sequence.samples]

    @property
    def tokens(self) -> int:
        """What attar reads in an epoch, padding left out."""
        return sum(len(sequence.ids) for sequence in self.sequences)

    def to_dict(self) -> dict[str, Any]:
        """What it is, for JSON."""
        models = {"teacher": self.pair.teacher, "student": self.pair.student}
        return {
            "sequences": len(self.sequences),
            "samples": len(self.samples),
            "parameters": {name: sum(weight.numel() for weight in each.parameters()) for name, each in models.items()},
            "batch_tokens": self.distiller.config.batch_tokens,
            "precision": self.distiller.precision,
        }


def tokens_alone(samples: Sequence[RenderedSample]) -> int:
    """What is read of samples that share nothing, padding left out."""
    return sum(len(sample.prompt) + len(sample.answer) for sample in samples)


def scene(sequences: int, teacher: str | None = None) -> Scene:
    """The quickstart's recipe with a trimmed student, the teacher uncorrected, and so many records.

    Args:
        sequences: How many.
        teacher: Another one than the recipe's.
    """
    settings = ["distillation.student_size=null", "distillation.student_vocabulary=data"]
    settings += ["distillation.correction.steps=0"]
    settings += ["distillation.alpha=0.5", "distillation.loss=forward_kl"]  # the plain loop's
    settings += [f"distillation.teacher_model_name={teacher}"] if teacher else []
    config = load_config(_RECIPE, settings)
    table = config.data.tables[0]
    assert table.path is not None  # the recipe reads files
    loader = StructuredDataLoader(records_per_table=4 * sequences)
    loader.load(table.path, label=table.label, entity=table.entity, columns=table.columns)
    samples = [sample for sample in loader.prepare_distillation_dataset() if sample.split == "train"]
    distiller = ModelDistiller(config.distillation)
    student, loaded = distiller.load_student_model(samples), distiller.teacher
    assert loaded is not None and distiller.body is not None  # the recipe cuts its student
    pair = Pair.of(
        loaded.model,
        student.model,
        student.tokenizer.vocabulary_size,
        is_cut=True,
        layers=distiller.body.layers,
        tokens=teacher_tokens(loaded.tokenizer, student.tokenizer),
    )
    packed = pack_all(render(samples, student.tokenizer), config.distillation.questions_per_sequence)[:sequences]
    return Scene(pair, distiller, packed, len(list(by_length(packed, config.distillation.batch_tokens))))
