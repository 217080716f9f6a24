"""The teacher: where it comes from, and its correction on the training split."""

from .hashing import weights_sha256
from .loading import LoadedModel, load_model, save_model

__all__ = ["LoadedModel", "load_model", "save_model", "weights_sha256"]
