"""Every parameter of a run, in one JSON file: the models, their JSON Schema, and how a file is read."""

from .distillation import CorrectionConfig, DistillationConfig
from .export import ExportConfig
from .models import FinishConfig, MeasurementConfig, RunConfig
from .reading import load_config
from .tables import DataConfig, TableConfig

__all__ = [
    "CorrectionConfig",
    "DataConfig",
    "DistillationConfig",
    "ExportConfig",
    "FinishConfig",
    "MeasurementConfig",
    "RunConfig",
    "TableConfig",
    "load_config",
]
