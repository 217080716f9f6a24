"""From a trained student to a bundle: Optimum's graph, quantization, parity, the folder.

``export_model`` is the door. Does not know how the student was made.
"""

from .exporting import Exported, export_model

__all__ = ["Exported", "export_model"]
