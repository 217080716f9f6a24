"""The numeric forms of the fast graph: how the products of the body are kept, and how the head is.

The token embedding is kept as the head is, and where the two are tied there is one of them. A form is one entry
of :data:`~attar.pipeline.export.layouts.LAYOUTS`. Does not know models.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..layouts import BLOCKS4, BLOCKS8, CHANNELS, LAYOUTS, WIDE, WIDE_BLOCKS4, Rounding
from .graph import GraphBuilder
from .weights import Blocks, Channels, Floats, Keep, Stored

__all__ = ["FORMS", "Form"]


@dataclass(frozen=True)
class Form:
    """How a graph's weights are kept.

    Attributes:
        body: The products of the layers.
        head: The product that makes the logits, and the token embedding.
        moments: By layer of the model, ``[K, K]``: the mean of ``x x^T`` over inputs that it met.
    """

    body: Keep
    head: Keep
    moments: Mapping[Any, NDArray[np.float32]] = field(default_factory=dict)

    def layer(self, graph: GraphBuilder, name: str, weight: NDArray[np.float32], layer: Any) -> Stored:
        """Store a layer's weight, or the weight of several that read the same input, of which this is the first."""
        return self.body(graph, name, weight, self.moments.get(layer))


_KEEPS: dict[Rounding | None, Keep] = {
    None: Floats,
    BLOCKS8: partial(Blocks, bits=8),
    BLOCKS4: partial(Blocks, bits=4),
    WIDE_BLOCKS4: partial(Blocks, bits=4, block=WIDE),
    CHANNELS: Channels,
}

FORMS: dict[str, Form] = {name: Form(_KEEPS[layout.body], _KEEPS[layout.head]) for name, layout in LAYOUTS.items()}
