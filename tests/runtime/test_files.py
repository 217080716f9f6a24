"""Files that are whole or not there."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from attar.runtime.errors import Refused
from attar.runtime.files import read_json, sha256_file, staged_folder, write_atomic, write_json


def test_a_hash_is_that_of_the_bytes(tmp_path: Path) -> None:
    data = bytes(range(256)) * 8192
    (tmp_path / "f").write_bytes(data)
    assert sha256_file(tmp_path / "f") == hashlib.sha256(data).hexdigest()


def test_an_atomic_write_replaces_and_leaves_nothing_beside(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "f.txt"
    write_atomic(path, "old")
    write_atomic(path, "né")
    assert path.read_text(encoding="utf-8") == "né"
    assert list(path.parent.iterdir()) == [path]


def test_json_round_trips_and_other_values_are_refused(tmp_path: Path) -> None:
    write_json(tmp_path / "f", {"a": [1, "ü"]})
    assert read_json(tmp_path / "f") == {"a": [1, "ü"]}
    (tmp_path / "f").write_text("[1]")
    with pytest.raises(ValueError, match="JSON object"):
        read_json(tmp_path / "f")


def test_a_staged_folder_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "out"
    for text in ("first", "second"):
        with staged_folder(target, marker="f") as staged:
            assert staged.parent == tmp_path
            (staged / "f").write_text(text)
    assert (target / "f").read_text() == "second"
    assert list(tmp_path.iterdir()) == [target]


def test_a_failed_staged_folder_leaves_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "f").write_text("old")
    with pytest.raises(RuntimeError), staged_folder(target, marker="f") as staged:
        (staged / "f").write_text("new")
        raise RuntimeError
    assert (target / "f").read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_that_is_not_an_older_result_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_text("years")
    with pytest.raises(Refused, match="Something else") as caught, staged_folder(tmp_path / "home", marker="f"):
        pass
    assert caught.value.exit_code == 3
    assert (tmp_path / "home" / "thesis.txt").read_text() == "years"
