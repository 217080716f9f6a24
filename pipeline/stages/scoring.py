"""How the stages score a torch model on the test split. Does not know where the model comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from ..config import RunConfig
from ..data import Sample

if TYPE_CHECKING:
    from ..teacher import LoadedModel

__all__ = ["score_torch", "spread"]

Item = TypeVar("Item")


def score_torch(config: RunConfig, loaded: LoadedModel, test: Sequence[Sample], title: str) -> dict[str, Any]:
    """Exact and value match of a model's greedy answers."""
    from ..evaluation import greedy_answers, score
    from ..training.precision import chosen_precision

    answers = greedy_answers(
        loaded,
        test,
        max_new_tokens=config.measurement.max_new_tokens,
        precision=chosen_precision(config.distillation.precision),
        title=title,
    )
    return score(answers, [sample.answer for sample in test]).to_dict()


def spread(samples: Sequence[Item], count: int | None) -> list[Item]:
    """That many of them, evenly spread; all where there are no more, or no number is given."""
    if count is None or count >= len(samples):
        return list(samples)
    return [samples[place * len(samples) // count] for place in range(count)]
