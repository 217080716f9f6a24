"""What tests of several rooms of the pipeline begin with."""

from __future__ import annotations

import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
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


@pytest.fixture
def full_disk() -> Callable[[int], AbstractContextManager[None]]:
    """A block in which the kernel lets no file grow beyond so many bytes, as on a full disk."""

    @contextmanager
    def full(most: int) -> Iterator[None]:
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, limits[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            signal.signal(signal.SIGXFSZ, before)

    return full
