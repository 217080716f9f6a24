"""What a model costs: size, memory and speed, each variant in a process of its own."""

from .processes import Cost, measure_costs

__all__ = ["Cost", "measure_costs"]
