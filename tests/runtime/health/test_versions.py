"""Versions against what an installed distribution asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from attar.runtime.health import Finding, examine_versions
from tests.runtime.test_imports import modules_after


@pytest.fixture
def findings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    """What is said of a distribution with one of each kind of trouble."""
    folder = tmp_path / "sample-1.0.dist-info"
    folder.mkdir()
    asked = [
        "click>=8",
        "numpy>=999",
        "no-such-thing>=1",
        "pytest>=1; extra == 'whole'",
        "hypothesis>=999; extra == 'half'",
        "no-such-thing; extra == 'half'",
        "ruff>=0.1; extra == 'most'",
        "mypy>=1; extra == 'most'",
        "no-such-thing; extra == 'most'",
        "no-such-thing; python_version < '3'",
    ]
    lines = ["Metadata-Version: 2.1", "Name: sample", "Version: 1.0", "Requires-Python: >=99"]
    lines += [f"Provides-Extra: {extra}" for extra in ("whole", "half", "most")]
    lines += [f"Requires-Dist: {text}" for text in asked]
    (folder / "METADATA").write_text("\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(tmp_path)
    return list(examine_versions("sample"))


@pytest.mark.parametrize(
    ("subject", "status", "found", "fix"),
    [
        ("python", "fault", "attar needs >=99", "Install Python >=99."),
        ("numpy", "fault", "but attar needs >=999", "Run: pip install 'numpy>=999'"),
        ("sample[whole]", "ok", "pytest ", None),
        ("sample[half]", "note", "not installed", "If you need it, run: pip install 'sample[half]'"),
        ("hypothesis", "fault", "needs >=999", "Run: pip install 'hypothesis>=999'"),
    ],
)
def test_each_misfit_is_found_with_its_fix(
    findings: list[Finding], subject: str, status: str, found: str, fix: str | None
) -> None:
    (finding,) = [finding for finding in findings if finding.subject == subject]
    assert finding.status == status
    assert found in finding.found
    assert finding.fix == fix


def test_a_gap_is_a_fault_in_the_base_and_in_an_extra_that_is_mostly_there(findings: list[Finding]) -> None:
    gaps = [finding for finding in findings if finding.subject == "no-such-thing"]
    assert [(gap.status, gap.found) for gap in gaps] == [("fault", "not installed")] * 2


def test_what_is_installed_here_fits() -> None:
    assert [finding for finding in examine_versions() if finding.status == "fault"] == []


def test_no_library_is_imported_to_read_its_version() -> None:
    loaded = modules_after("from attar.runtime.health import examine\nfrom pathlib import Path\nlist(examine(Path()))")
    assert not loaded & {"torch", "transformers", "numpy", "onnxruntime", "pyarrow", "pydantic", "langchain_core"}
