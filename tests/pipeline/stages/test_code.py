"""The hash of a stage's code: what runs counts, wherever it is imported; how it is written does not."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from attar.pipeline.stages import code


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package whose modules import each other in every way that attar's do."""
    files = {
        "pipeline/__init__.py": "",
        "pipeline/start.py": "from .near import work\n\ndef go():\n    from attar.runtime import Engine\n",
        "pipeline/near/__init__.py": "from .inner import work\n",
        "pipeline/near/inner.py": "def work():\n    return 1\n",
        "pipeline/idle.py": "x = 1\n",
        "runtime/__init__.py": "if TYPE_CHECKING:\n    from .engine import Engine\n    from .far import Far\n",
        "runtime/engine.py": "class Engine:\n    pass\n",
        "runtime/far.py": "class Far:\n    pass\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    def file(module: str) -> Path | None:
        place = tmp_path.joinpath(*module.split(".")[1:])
        found = (place.with_suffix(".py"), place / "__init__.py")
        return next((f for f in found if module.startswith("attar.") and f.is_file()), None)

    monkeypatch.setattr(code, "_file", file)
    monkeypatch.setattr(code, "_code", cache(code._code.__wrapped__))
    return tmp_path


def digest() -> str:
    code._code.cache_clear()
    return code.code_hash.__wrapped__("attar.pipeline.start")


@pytest.mark.parametrize("name", ["pipeline/start.py", "pipeline/near/inner.py", "runtime/engine.py"])
def test_a_change_in_anything_imported_changes_the_hash(tree: Path, name: str) -> None:
    before = digest()
    (tree / name).write_text((tree / name).read_text() + "\ny = 2\n")
    assert digest() != before


@pytest.mark.parametrize("name", ["pipeline/idle.py", "runtime/far.py"])
def test_a_change_elsewhere_does_not(tree: Path, name: str) -> None:
    before = digest()
    (tree / name).write_text("z = 3\n")
    assert digest() == before


def test_comments_docstrings_and_layout_do_not_count(tree: Path) -> None:
    before = digest()
    inner = tree / "pipeline/near/inner.py"
    inner.write_text('"""Said."""\n# why\n\n\ndef work():\n    """Done."""\n    return (1)\n')
    ast.parse(inner.read_text())
    assert digest() == before


def test_the_stages_own_code_is_found() -> None:
    imported = set(code._imports("attar.pipeline.stages.student"))
    assert {"attar.pipeline.training.distiller", "attar.pipeline.stages.data"} <= imported
    names = ("data", "teacher", "student", "finish", "export", "baseline", "measurement", "card")
    assert len({code.code_hash(f"attar.pipeline.stages.{name}") for name in names}) == len(names)
