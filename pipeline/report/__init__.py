"""What people read: the model card and the table that ends a run. Does not measure anything."""

from .card import model_card
from .table import results_table

__all__ = ["model_card", "results_table"]
