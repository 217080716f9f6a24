"""What people read for each model that a run scores."""

from __future__ import annotations

__all__ = ["NAMES"]

NAMES = {
    "teacher": "teacher as it came",
    "corrected_teacher": "corrected teacher",
    "student": "student",
    "baseline": "fine-tuned baseline",
    "quantized": "student in the bundle",
}
"""By its key in the scores."""
