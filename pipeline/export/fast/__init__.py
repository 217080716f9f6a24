"""The fast graph: assembled from a model's weights out of onnxruntime's fused operators, one file a family.

``build_fast`` writes it in one of ``FORMS``; ``refusal`` says why a model has none. ``build_encoder`` and
``encoder_refusal`` are the same for models that embed texts. Does not know parity or bundles.
"""

from .build import build_encoder, build_fast, encoder_refusal, refusal
from .forms import FORMS, Form

__all__ = ["FORMS", "Form", "build_encoder", "build_fast", "encoder_refusal", "refusal"]
