"""The divergences by name. A new one is one file and one line here. Does not know configs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from inspect import signature
from typing import Any

from torch import Tensor

from .alpha_beta import alpha_beta
from .forward_kl import forward_kl
from .jensen_shannon import jensen_shannon
from .reverse_kl import reverse_kl
from .skew_forward_kl import skew_forward_kl
from .skew_reverse_kl import skew_reverse_kl
from .total_variation import total_variation

__all__ = ["DIVERGENCES", "Divergence", "chosen_divergence"]

Divergence = Callable[[Tensor, Tensor], Tensor]
"""Takes the student's and the teacher's log-probabilities ``[N, V]``, gives ``[N]``."""

DIVERGENCES: dict[str, Callable[..., Tensor]] = {
    "forward_kl": forward_kl,
    "reverse_kl": reverse_kl,
    "jensen_shannon": jensen_shannon,
    "skew_forward_kl": skew_forward_kl,
    "skew_reverse_kl": skew_reverse_kl,
    "alpha_beta": alpha_beta,
    "total_variation": total_variation,
}
"""Name to divergence."""


def chosen_divergence(name: str, parameters: Mapping[str, Any]) -> Divergence:
    """The divergence of that name, with those of the parameters that it has.

    Raises:
        KeyError: There is none of that name.
    """
    known = signature(DIVERGENCES[name]).parameters
    return partial(DIVERGENCES[name], **{key: value for key, value in parameters.items() if key in known})
