"""A bundle is opened only when every byte is what its manifest says."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.lib.recfunctions import repack_fields

from attar.runtime.bundle import FORMAT, Bundle
from attar.runtime.engine import Engine
from attar.runtime.errors import BundleError
from attar.runtime.files import sha256_file
from attar.runtime.verification import require_within, verify


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def test_a_whole_bundle_opens(bundle_folder: Path) -> None:
    bundle = Bundle.open(bundle_folder)
    assert bundle.manifest.architecture.layers == 4
    assert bundle.generation.stop_ids == (2,)
    assert bundle.records == bundle_folder / "records.sqlite"
    assert bundle.size == sum(path.stat().st_size for path in bundle_folder.iterdir())


@pytest.mark.parametrize(
    "name", ["model.onnx", "tokenizer.json", "chat_template.jinja", "generation.json", "records.sqlite"]
)
def test_a_flipped_byte_is_refused(bundle_copy: Path, name: str) -> None:
    flip(bundle_copy / name)
    with pytest.raises(BundleError, match="bytes are not those") as caught:
        Bundle.open(bundle_copy)
    assert caught.value.where == str(bundle_copy / name)


def edit(change: Callable[[dict[str, object]], object]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        manifest = json.loads((folder / "attar.json").read_text())
        change(manifest)
        (folder / "attar.json").write_text(json.dumps(manifest))

    return apply


def link_out(folder: Path) -> None:
    (folder / "tokenizer.json").rename(folder.parent / "elsewhere.json")
    (folder / "tokenizer.json").symlink_to(folder.parent / "elsewhere.json")


BREAKS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a missing file": (lambda folder: (folder / "model.onnx").unlink(), "is missing"),
    "an extra file": (lambda folder: (folder / "extra.so").write_text("x"), "does not list"),
    "a link out": (link_out, "link or a folder"),
    "a hard link": (lambda folder: os.link(folder / "tokenizer.json", folder.parent / "hard"), "link or a folder"),
    "a folder": (lambda folder: (folder / "sub").mkdir(), "does not list"),
    "a longer file": (lambda folder: (folder / "model.onnx").open("ab").write(b"x"), "bytes where the manifest says"),
    "no manifest": (lambda folder: (folder / "attar.json").unlink(), "no bundle here"),
    "a manifest of garbage": (lambda folder: (folder / "attar.json").write_text("{"), "manifest can't be read"),
    "another format": (edit(lambda manifest: manifest.update(format=99)), "format is 99"),
    "an unknown key": (edit(lambda manifest: manifest.update(surprise=1)), "manifest can't be read"),
    "an unlisted graph": (edit(lambda manifest: manifest["files"].pop("model.onnx")), "does not list"),  # type: ignore[attr-defined]
}


@pytest.mark.parametrize("name", BREAKS)
def test_anything_else_than_the_manifest_says_is_refused(bundle_copy: Path, name: str) -> None:
    break_it, message = BREAKS[name]
    break_it(bundle_copy)
    with pytest.raises(BundleError, match=message) as caught:
        Bundle.open(bundle_copy)
    assert caught.value.next_step


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no bundle here"):
        Bundle.open(tmp_path / "nowhere")


def to_4(folder: Path) -> None:
    """Format 4 did not name the task."""
    edit(lambda manifest: (manifest.pop("task"), manifest.update(format=4)))(folder)


def to_3(folder: Path) -> None:
    """Format 3 kept only the model's own answers, without normalizers."""
    to_4(folder)
    known = json.loads((folder / "references.json").read_text())
    (folder / "references.json").write_text(json.dumps({"references": known["answers"]}))
    rows = np.load(folder / "references.npy")
    np.save(folder / "references.npy", repack_fields(rows[["tokens", "logits"]]))
    files = {name: describe(folder / name) for name in ("references.json", "references.npy")}
    edit(lambda manifest: (manifest["files"].update(files), manifest.update(format=3)))(folder)  # type: ignore[attr-defined]


def describe(path: Path) -> dict[str, object]:
    return {"size": path.stat().st_size, "sha256": sha256_file(path)}


def to_2(folder: Path) -> None:
    """Format 2 had neither references nor limits nor a choice."""
    to_4(folder)
    for name in ("references.json", "references.npy"):
        (folder / name).unlink()
        edit(lambda manifest, name=name: manifest["files"].pop(name))(folder)  # type: ignore[misc]
    edit(lambda manifest: (manifest.pop("limits"), manifest.pop("choice"), manifest.update(format=2)))(folder)


def to_1(folder: Path) -> None:
    """Format 1 had only Optimum's graph, and so did not name it."""
    to_2(folder)
    edit(lambda manifest: (manifest.pop("graph"), manifest.update(format=1)))(folder)


EARLIER = {
    1: (to_1, "optimum_bundle_folder"),
    2: (to_2, "bundle_folder"),
    3: (to_3, "bundle_folder"),
    4: (to_4, "bundle_folder"),
}


@pytest.mark.parametrize("version", range(1, FORMAT))
def test_a_bundle_of_each_earlier_format_opens_and_answers(
    version: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    make, source = EARLIER[version]
    folder = Path(shutil.copytree(request.getfixturevalue(source), tmp_path / "b"))
    expected = list(Engine(Bundle.open(folder), threads=1).generate([1, 90, 91], max_new_tokens=8))
    make(folder)
    assert json.loads((folder / "attar.json").read_text())["format"] == version
    bundle = Bundle.open(folder)
    assert bundle.manifest.graph == ("optimum" if version == 1 else "fast")
    assert list(Engine(bundle, threads=1).generate([1, 90, 91], max_new_tokens=8)) == expected


def test_a_bundle_of_format_3_is_verified_by_what_it_keeps(bundle_copy: Path) -> None:
    to_3(bundle_copy)
    found = verify(bundle_copy)
    require_within(found)
    assert found.parity.agreement == found.parity.greedy_equal == 1
    assert abs(found.parity.divergence) < 1e-6
