"""Every parameter of a run, in one JSON file: the models, their JSON Schema, and how a file is read."""

from .models import (
    CorrectionConfig,
    DataConfig,
    DistillationConfig,
    ExportConfig,
    MeasurementConfig,
    RunConfig,
    TableConfig,
)
from .reading import load_config

__all__ = [
    "CorrectionConfig",
    "DataConfig",
    "DistillationConfig",
    "ExportConfig",
    "MeasurementConfig",
    "RunConfig",
    "TableConfig",
    "load_config",
]
