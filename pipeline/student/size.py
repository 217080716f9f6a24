"""The one dial: a share of the teacher's parameters, made into a number of layers and of tokens.

Arithmetic alone. Does not know models, tokenizers or which layers and tokens they will be.
"""

from __future__ import annotations

from dataclasses import dataclass

from attar.runtime.errors import UsageError

__all__ = ["Parameters", "fitting"]


@dataclass(frozen=True)
class Parameters:
    """Where a model's parameters are.

    Attributes:
        total: All; a tied embedding counts once.
        layers: How many layers there are.
        layer: Parameters of one.
        tokens: Rows of the embedding.
        token: Parameters of one token, in the embedding and in a head that is not tied to it.
    """

    total: int
    layers: int
    layer: int
    tokens: int
    token: int

    @property
    def others(self) -> int:
        """Neither in layers nor in tokens: positions and norms."""
        return self.total - self.layers * self.layer - self.tokens * self.token


def fitting(share: float, teacher: Parameters, needed_tokens: int) -> tuple[int, int]:
    """How many layers and tokens a student has that is at most a share of its teacher.

    First come the tokens that its data needs: they cost least and are missed most. Then as many layers as there
    is room for. What is left, less than a layer, goes to further tokens, so that other text is cut less finely.

    Args:
        share: Of the teacher's parameters, above 0 and at most 1.
        teacher: Where the teacher's are.
        needed_tokens: Tokens that the data needs.

    Raises:
        UsageError: There is no room for a single layer.
    """
    fixed = teacher.others + needed_tokens * teacher.token
    room = int(share * teacher.total) - fixed
    layers = min(teacher.layers, room // teacher.layer)
    if layers < 1:
        least = (fixed + teacher.layer) / teacher.total
        raise UsageError(
            f"A student of {share:.0%} of its teacher has no room for a layer.",
            why=f"Its {needed_tokens} tokens and one layer are {least:.1%} of the teacher's parameters.",
            next_step=f"Set distillation.student_size to at least {least + 0.001:.3f}.",
        )
    spare = (room - layers * teacher.layer) // teacher.token
    return layers, min(teacher.tokens, needed_tokens + spare)
