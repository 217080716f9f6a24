"""What tests of several rooms of the pipeline begin with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from attar.pipeline.teacher import LoadedModel


@pytest.fixture
def teacher(teacher_folder: Path) -> LoadedModel:
    """The tiny teacher, as it teaches: not trained."""
    from attar.pipeline.teacher import load_model

    loaded = load_model(str(teacher_folder))
    loaded.model.requires_grad_(False).eval()
    return loaded
