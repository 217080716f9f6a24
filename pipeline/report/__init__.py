"""What people read: the model card, its plot, and the table that ends a run. Does not measure anything."""

from .card import model_card
from .costs import costs_table
from .plot import PLOT, kinds_plot
from .results import Report
from .table import results_table

__all__ = ["PLOT", "Report", "costs_table", "kinds_plot", "model_card", "results_table"]
