"""What the suites share: the bundle that `make quickstart` made."""

from __future__ import annotations

from pathlib import Path

import pytest

BUNDLE = Path(__file__).parent.parent / "runs" / "quickstart" / "bundle"


@pytest.fixture(scope="session")
def bundle() -> Path:
    """The quickstart's bundle."""
    if not BUNDLE.is_dir():
        pytest.skip("there is no bundle to measure; run `make quickstart` first")
    return BUNDLE
