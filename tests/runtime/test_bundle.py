"""A bundle is opened only when every byte is what its manifest says."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from attar.runtime.bundle import Bundle
from attar.runtime.errors import BundleError


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
    "a format that is no number": (edit(lambda manifest: manifest.update(format="4")), "format is '4'"),
    "an unknown task": (edit(lambda manifest: manifest.update(task="translation")), "task that is unknown"),
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
