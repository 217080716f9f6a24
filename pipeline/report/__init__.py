"""What people read: the model card and the table that ends a run. Does not measure anything."""

from .card import model_card
from .costs import costs_table
from .results import Report
from .table import results_table

__all__ = ["Report", "costs_table", "model_card", "results_table"]
