"""The smaller body: which layers and tokens of the teacher a student is made of."""

from .depth import are_comparable, cut, even_layers, layers_of, lowest_layers, ranked_layers
from .size import Parameters, fitting
from .trimming import teacher_tokens, trim_model, trim_tokenizer
from .vocabulary import kept_tokens

__all__ = [
    "Parameters",
    "are_comparable",
    "cut",
    "even_layers",
    "fitting",
    "kept_tokens",
    "layers_of",
    "lowest_layers",
    "ranked_layers",
    "teacher_tokens",
    "trim_model",
    "trim_tokenizer",
]
