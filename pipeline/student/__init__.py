"""The smaller body: which layers of the teacher a student is made of."""

from .depth import cut, even_layers, layers_of

__all__ = ["cut", "even_layers", "layers_of"]
