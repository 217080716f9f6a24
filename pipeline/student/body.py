"""The body that a config asks for: which of the teacher's layers, which of its tokens; and the student cut so.

Does not know training: what the data says comes as counts of tokens, and which layers matter as a ranking.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..config import DistillationConfig
from ..progress import say
from ..teacher import LoadedModel
from .cuts import planned_cuts
from .depth import cut, even_layers, layers_of, lowest_layers, require_possible
from .size import fitting
from .trimming import named_tokens, parameters_of, trim_model, trim_tokenizer
from .vocabulary import kept_tokens

__all__ = ["Body", "chosen_body", "chosen_tokens", "cut_student", "follows_from_data", "ranks_layers", "trimmed"]


@dataclass(frozen=True)
class Body:
    """What of the teacher a student is made of.

    Attributes:
        layers: Numbers of the layers, ascending.
        tokens: Ids of the tokens, ascending; None keeps all.
        ranking: Numbers of all the teacher's layers, the most important first for the first cut; empty where that was
            not asked.
    """

    layers: list[int]
    tokens: list[int] | None
    ranking: Sequence[int] = ()


def follows_from_data(config: DistillationConfig) -> bool:
    """Whether nothing can be cut without the training samples."""
    return (config.student_vocabulary, config.student_size) != (None, None)


def ranks_layers(config: DistillationConfig) -> bool:
    """Whether the student's layers are chosen by their importance, which shows on training samples."""
    named = config.student_model_name is not None or isinstance(config.student_layers, list)
    return config.layer_choice == "importance" and not named


def chosen_body(
    config: DistillationConfig,
    teacher: LoadedModel,
    used: Mapping[int, int],
    rank: Callable[[int], Sequence[int]] | None,
) -> Body:
    """The body of a student that is cut.

    Args:
        config: What is asked for.
        teacher: The teacher.
        used: How often the training samples use each token.
        rank: Tells the layers, the most important first, for a cut to so many; asked only where that decides. None
            where there are no samples to tell it by: layers that it would choose are spaced evenly.

    Raises:
        UsageError: The teacher has not so many layers, its vocabulary can't be trimmed, the size is too small, or
            ``distillation.cuts`` do not lead to the student.
    """
    total = len(layers_of(teacher.model)[1])
    if config.student_size is not None:
        needed = kept_tokens(teacher.tokenizer, used, needed=named_tokens(teacher.model))
        keep, size = fitting(config.student_size, parameters_of(teacher.model), len(needed))
        tokens = _tokens_of_size(teacher, used, size)
    else:
        tokens = chosen_tokens(config, teacher, used)
        if isinstance(config.student_layers, list):
            return Body(config.student_layers, tokens)
        keep = config.student_layers or -(-total // 2)
    require_possible(total, keep)
    if ranks_layers(config) and rank:
        ranking = rank(planned_cuts(config, total, keep)[0].layers)
        return Body(sorted(ranking[:keep]), tokens, ranking)
    return Body((lowest_layers if config.layer_choice == "lowest" else even_layers)(total, keep), tokens)


def chosen_tokens(config: DistillationConfig, teacher: LoadedModel, used: Mapping[int, int]) -> list[int] | None:
    """The tokens that ``student_vocabulary`` asks for; None keeps all.

    Raises:
        UsageError: The vocabulary can't be trimmed, or not so far.
    """
    if config.student_vocabulary is None:
        return None
    if config.student_vocabulary == "data":
        return kept_tokens(teacher.tokenizer, used, needed=named_tokens(teacher.model))
    return _tokens_of_size(teacher, used, config.student_vocabulary)


def cut_student(teacher: LoadedModel, body: Body) -> LoadedModel:
    """A student of these layers and tokens, which shares no memory with the teacher."""
    student = LoadedModel(cut(teacher.model, body.layers), teacher.tokenizer, "student")
    return trimmed(student, body.tokens)


def trimmed(student: LoadedModel, tokens: Sequence[int] | None) -> LoadedModel:
    """The student with only these tokens; the model is changed in place."""
    if tokens is None:
        return student
    before = student.parameters
    tokenizer = trim_tokenizer(student.tokenizer, tokens)
    trim_model(student.model, tokens)
    smaller = LoadedModel(student.model, tokenizer, student.name)
    say(
        f"student: {len(tokens)} of {student.tokenizer.vocabulary_size} tokens kept, "
        f"{before / 1e6:.1f}M parameters to {smaller.parameters / 1e6:.1f}M"
    )
    return smaller


def _tokens_of_size(teacher: LoadedModel, used: Mapping[int, int], size: int) -> list[int] | None:
    if size >= teacher.tokenizer.vocabulary_size:
        return None
    tokens = kept_tokens(teacher.tokenizer, used, size, needed=named_tokens(teacher.model))
    if missing := len(used.keys() - set(tokens)):
        say(f"student: {missing} of the {len(used)} tokens of the training samples are not kept, and fall into pieces")
    return tokens
