"""What a model costs: size, memory and speed, each variant in a process of its own, compared with intervals."""

from .comparison import Comparison, compare, compare_blocks
from .costs import Cost, Costs, measure_costs
from .processes import Variant

__all__ = ["Comparison", "Cost", "Costs", "Variant", "compare", "compare_blocks", "measure_costs"]
