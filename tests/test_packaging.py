"""What is installed: every package of the tree, and a base install that stays light."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_the_wheel_holds_every_file_of_the_tree(tmp_path: Path) -> None:
    source = tmp_path / "source"
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    offline = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(tmp_path)]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *offline, str(source)], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    held = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("attar/")}
    tree = {
        f"attar/{path.relative_to(source)}"
        for half in ("pipeline", "runtime")
        for path in (source / half).rglob("*")
        if path.suffix == ".py" or path.name == "py.typed"
    }
    assert held == tree


def test_the_base_install_asks_for_the_runtimes_libraries_only() -> None:
    names = {requirement.split(">")[0] for requirement in PROJECT["project"]["dependencies"]}
    assert names == {
        "click",
        "jinja2",
        "langchain-core",
        "langgraph",
        "numpy",
        "onnxruntime",
        "packaging",
        "tokenizers",
    }


def test_every_proven_version_is_of_something_that_is_asked_for() -> None:
    groups = [PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"].values()]
    asked = {requirement.split(">")[0].split("[")[0] for group in groups for requirement in group}
    pinned = {
        line.split("==")[0] for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")
    }
    assert asked <= pinned
    assert pinned - asked <= {"huggingface-hub", "psycopg-binary"}
