"""Losses: one divergence a file, one call signature.

``DistillationLoss`` is the default and what users subclass. Nothing here knows a model or a batch.
"""

from .chunked import mean_in_chunks
from .distillation import DistillationLoss, Targets
from .hidden import cosine_distance, relative_error
from .projected import ProjectedError
from .registry import DIVERGENCES, Divergence, chosen_divergence
from .sampled import SampledTargets, sampled_divergence, sampled_targets
from .sparse import SparseTargets, sparse_divergence, sparse_targets

__all__ = [
    "DIVERGENCES",
    "DistillationLoss",
    "Divergence",
    "ProjectedError",
    "SampledTargets",
    "SparseTargets",
    "Targets",
    "chosen_divergence",
    "cosine_distance",
    "mean_in_chunks",
    "relative_error",
    "sampled_divergence",
    "sampled_targets",
    "sparse_divergence",
    "sparse_targets",
]
