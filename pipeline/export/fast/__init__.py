"""The fast graph: assembled from a model's weights out of onnxruntime's fused operators, one file a family.

``build_fast`` writes it in one of ``FORMS``; ``refusal`` says why a model has none. Does not know parity or bundles.
"""

from .build import build_fast, refusal
from .forms import FORMS, Form

__all__ = ["FORMS", "Form", "build_fast", "refusal"]
