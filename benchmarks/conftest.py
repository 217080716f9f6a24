"""What the suites share: the bundle and the teacher that `make quickstart` made."""

from __future__ import annotations

from pathlib import Path

import pytest

RUN = Path(__file__).parent.parent / "runs" / "quickstart"


@pytest.fixture(scope="session")
def bundle() -> Path:
    """The quickstart's bundle."""
    return _made(RUN / "bundle")


@pytest.fixture(scope="session")
def teacher() -> Path:
    """The teacher it was distilled from, corrected, as a model folder."""
    return _made(RUN / "stages" / "teacher" / "model")


def _made(path: Path) -> Path:
    if not path.is_dir():
        pytest.skip(f"there is no {path.relative_to(RUN.parent.parent)} to measure; run `make quickstart` first")
    return path
