"""How threads wait is set where the user has not set it."""

from __future__ import annotations

import pytest

from attar.pipeline.threads import yield_to_others


@pytest.mark.parametrize(
    ("given", "expected"),
    [({}, "10000"), ({"GOMP_SPINCOUNT": "5"}, "5"), ({"OMP_WAIT_POLICY": "active"}, None)],
)
def test_what_the_user_set_stays(monkeypatch: pytest.MonkeyPatch, given: dict[str, str], expected: str | None) -> None:
    import os

    monkeypatch.setattr(os, "environ", dict(given))
    yield_to_others()
    assert os.environ.get("GOMP_SPINCOUNT") == expected
