"""The offline half of attar: from tables and a teacher to a bundle. torch lives here.

Names are handed on lazily, so that naming one verb does not import the others' libraries.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .config import DistillationConfig as DistillationConfig
    from .config import RunConfig as RunConfig
    from .config import load_config as load_config
    from .data import QAPair as QAPair
    from .data import Sample as Sample
    from .data import StructuredDataLoader as StructuredDataLoader
    from .export import export_model as export_model
    from .losses import DistillationLoss as DistillationLoss
    from .training.distiller import ModelDistiller as ModelDistiller

_HOMES = {
    "DistillationConfig": ".config",
    "DistillationLoss": ".losses",
    "ModelDistiller": ".training.distiller",
    "QAPair": ".data",
    "RunConfig": ".config",
    "Sample": ".data",
    "StructuredDataLoader": ".data",
    "export_model": ".export",
    "load_config": ".config",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name], __name__), name)


def __dir__() -> list[str]:
    return __all__
