"""What people read: the model card and the table that ends a run. Does not measure anything."""

from .card import model_card
from .results import Report
from .table import results_table

__all__ = ["Report", "model_card", "results_table"]
