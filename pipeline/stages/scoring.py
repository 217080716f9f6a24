"""How the stages score a torch model on the test split, and keep its answers for the verdict.

Does not know where the model comes from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from attar.runtime.files import read_json, write_json

from ..config import RunConfig
from ..data import Sample

if TYPE_CHECKING:
    from ..teacher import LoadedModel

__all__ = ["read_answers", "score_torch", "spread", "write_answers"]

_ANSWERS = "answers.json"

Item = TypeVar("Item")


def score_torch(config: RunConfig, loaded: LoadedModel, test: Sequence[Sample], title: str) -> dict[str, Any]:
    """A model's greedy answers by sample id, and their exact and value match: ``{"answers", "scores"}``."""
    from ..evaluation import greedy_answers, score
    from ..training.precision import chosen_precision

    answers = greedy_answers(
        loaded,
        test,
        max_new_tokens=config.measurement.max_new_tokens,
        precision=chosen_precision(config.distillation.precision),
        title=title,
    )
    scores = score(answers, [sample.answer for sample in test]).to_dict()
    return {"scores": scores, "answers": {sample.id: answer for sample, answer in zip(test, answers, strict=True)}}


def write_answers(folder: Path, answers: Mapping[str, str]) -> None:
    """Keep answers by sample id in a stage's product."""
    write_json(folder / _ANSWERS, answers)


def read_answers(folder: Path, test: Sequence[Sample]) -> list[str]:
    """What :func:`write_answers` kept, in the order of the samples."""
    known = read_json(folder / _ANSWERS)
    return [str(known[sample.id]) for sample in test]


def spread(samples: Sequence[Item], count: int | None) -> list[Item]:
    """That many of them, evenly spread; all where there are no more, or no number is given."""
    if count is None or count >= len(samples):
        return list(samples)
    return [samples[place * len(samples) // count] for place in range(count)]
