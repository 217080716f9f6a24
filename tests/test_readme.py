"""The README says what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
MAP = re.search(r"```\n(attar/.*?)```", README, re.DOTALL)
PATHS = re.findall(r"^  (\S+)", MAP[1], re.MULTILINE) if MAP else []


def test_the_map_names_every_top_level_folder() -> None:
    folders = {f"{path.name}/" for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith((".", "_"))}
    assert folders - {"runs/", "build/", "attar.egg-info/"} <= set(PATHS)


@pytest.mark.parametrize("path", PATHS)
def test_each_path_of_the_map_is_there(path: str) -> None:
    assert (ROOT / path).exists()


def test_the_two_commands_are_in_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", README, re.MULTILINE):
        assert f"\n{target}:" in makefile


def test_the_code_that_embeds_the_student_runs(bundle_folder: Path) -> None:
    block = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert block is not None
    assert len(block[1].strip().splitlines()) <= 12
    code = block[1].replace("runs/quickstart/bundle", str(bundle_folder)).replace("Denmark", "Aarhus")
    names: dict[str, object] = {}
    exec(compile(code, "README.md", "exec"), names)
    assert isinstance(names["answer"], str)


def test_the_code_that_embeds_texts_runs(encoder_bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, block = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(compile(block.replace('"encoder"', repr(str(encoder_bundle))), "README.md", "exec"), {})
    assert capsys.readouterr().out.strip() in block
