"""Files that are whole or not there."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from attar.runtime import files
from attar.runtime.errors import Refused
from attar.runtime.files import locked, read_json, sha256_file, staged_folder, sweep, write_atomic, write_json


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


@pytest.mark.parametrize("can_exchange", [True, False])
def test_a_staged_folder_takes_the_place_of_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, can_exchange: bool
) -> None:
    if not can_exchange:
        monkeypatch.setattr(files, "_exchanged", lambda *_: False)
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


def test_a_replaced_folder_is_there_at_every_instant(tmp_path: Path) -> None:
    target = tmp_path / "out"
    missed, ended = [], threading.Event()

    def watch() -> None:
        while not ended.is_set():
            if not os.path.exists(target / "f"):  # noqa: PTH110 - as fast as can be
                missed.append(1)

    with staged_folder(target, marker="f") as staged:
        (staged / "f").write_text("0")
    watcher = threading.Thread(target=watch)
    watcher.start()
    for turn in range(50):
        with staged_folder(target, marker="f") as staged:
            (staged / "f").write_text(str(turn))
    ended.set()
    watcher.join()
    assert not missed


def test_a_sweep_removes_only_what_was_half_written(tmp_path: Path) -> None:
    (tmp_path / ".out.abc.part").mkdir()
    (tmp_path / ".out.abc.part" / "f").write_text("half")
    (tmp_path / ".f.txt.abc.part").write_text("half")
    (tmp_path / ".hidden").write_text("kept")
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".hidden"]


def test_a_second_process_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    hold = (
        "import sys, pathlib\nfrom attar.runtime.files import locked\n"
        "with locked(pathlib.Path(sys.argv[1])):\n    print('held', flush=True)\n    input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Refused, match="Another process") as caught, locked(tmp_path):
            pass
        assert f"Process {holder.pid}" in str(caught.value.why)
        holder.kill()
    with locked(tmp_path):  # a killed process holds nothing
        assert f"Process {os.getpid()}" in (tmp_path / ".lock").read_text()
