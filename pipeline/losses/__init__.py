"""Losses: one divergence a file, one call signature.

``DistillationLoss`` is the default and what users subclass. Nothing here knows a model or a batch.
"""

from .distillation import DistillationLoss
from .hidden import cosine_distance, relative_error

__all__ = ["DistillationLoss", "cosine_distance", "relative_error"]
