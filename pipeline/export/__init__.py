"""From a trained student to a bundle: Optimum's graph, the fast graph, quantization, parity, the folder.

``export_model`` is the door. Does not know how the student was made.
"""

from .exporting import export_model

__all__ = ["export_model"]
