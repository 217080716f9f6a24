"""From a trained student to a bundle: Optimum's graph, the fast graph, quantization, parity, the folder.

``export_model`` is the door; ``export_encoder`` is that of models that embed texts. Does not know how the student was
made.
"""

from .encoders import export_encoder
from .exporting import export_model

__all__ = ["export_encoder", "export_model"]
