"""The numeric forms of the fast graph: how the products of the body are kept, and how the head is.

The token embedding is kept as the head is, and where the two are tied there is one of them. A form is one entry
of ``FORMS``. Does not know models.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from .weights import Blocks, Channels, Floats, Keep

__all__ = ["FORMS", "Form"]


@dataclass(frozen=True)
class Form:
    """How a graph's weights are kept.

    Attributes:
        body: The products of the layers.
        head: The product that makes the logits, and the token embedding.
    """

    body: Keep
    head: Keep


_INT8, _INT4 = partial(Blocks, bits=8), partial(Blocks, bits=4)

FORMS: dict[str, Form] = {
    "none": Form(Floats, Floats),
    "int8": Form(_INT8, _INT8),
    "int4": Form(_INT4, _INT8),
    "int8-dynamic": Form(Channels, _INT8),
    "mixed": Form(_INT8, _INT4),
}
