"""A bundle repeats its parity on this machine, without torch, and says when it can't."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attar.pipeline import export_model
from attar.pipeline.config import ExportConfig
from attar.runtime.errors import BundleError, ParityError
from attar.runtime.files import sha256_file
from attar.runtime.references import read_references
from attar.runtime.verification import require_within, verify


def rehash(folder: Path, **changes: Any) -> None:
    """Make the manifest say what is there."""
    manifest = json.loads((folder / "attar.json").read_text()) | changes
    files = {path.name: path for path in folder.iterdir() if path.name != "attar.json"}
    manifest["files"] = {
        name: {"size": path.stat().st_size, "sha256": sha256_file(path)} for name, path in files.items()
    }
    (folder / "attar.json").write_text(json.dumps(manifest))


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    code = (
        "import sys\n"
        "for heavy in ('torch', 'transformers', 'onnx', 'attar.pipeline'): sys.modules[heavy] = None\n"
        "from attar.runtime.cli import main; main()"
    )
    return subprocess.run([sys.executable, "-c", code, "verify", str(folder), *options], capture_output=True, text=True)


def test_a_whole_bundle_is_verified_without_torch(bundle_folder: Path) -> None:
    done = run(bundle_folder, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["parity"]["largest_logit_difference"] < 1e-3
    assert found["parity"]["agreement"] == found["parity"]["greedy_equal"] == 1.0
    assert found["parity"]["p99_logit_difference"] <= found["parity"]["largest_logit_difference"]
    assert "same greedy answer: 100.0%" in run(bundle_folder).stdout


def test_a_quantized_bundle_is_as_far_off_as_at_its_export(teacher_folder: Path, tmp_path: Path) -> None:
    config = ExportConfig.model_validate({"quantize": "int8", "min_agreement": 0.5})
    bundle = export_model(teacher_folder, tmp_path / "b", config)
    found = verify(bundle.path)
    require_within(found)
    assert found.limits == {"min_agreement": 0.5, "max_score_loss": 0.02}
    assert found.parity.agreement == bundle.manifest.parity["int8"]["agreement"]
    assert found.parity.tokens == bundle.manifest.parity["int8"]["tokens"]
    assert (
        0 < found.parity.largest_logit_difference <= bundle.manifest.parity["int8"]["largest_logit_difference"] + 1e-4
    )


def test_other_logits_fail_and_the_verb_exits_with_1(bundle_copy: Path) -> None:
    rows = np.load(bundle_copy / "references.npy")
    rows["logits"][3, 0] += 0.5
    np.save(bundle_copy / "references.npy", rows)
    rehash(bundle_copy)
    with pytest.raises(ParityError, match="bundle and torch disagree") as caught:
        require_within(verify(bundle_copy))
    assert "0.5" in (caught.value.why or "")
    assert run(bundle_copy).returncode == 1


def test_another_greedy_answer_fails(bundle_copy: Path) -> None:
    known = json.loads((bundle_copy / "references.json").read_text())
    known["continuations"][0]["answer"][-1] ^= 1
    (bundle_copy / "references.json").write_text(json.dumps(known))
    rehash(bundle_copy, limits={"min_greedy_equal": 1.0})
    with pytest.raises(ParityError, match="disagree") as caught:
        require_within(verify(bundle_copy))
    assert "same greedy answer 75.00%" in (caught.value.why or "")


def test_another_most_likely_token_fails(bundle_copy: Path) -> None:
    rows = np.load(bundle_copy / "references.npy")
    rows["logits"][5, 1] = rows["logits"][5, 0] + 0.1
    np.save(bundle_copy / "references.npy", rows)
    rehash(bundle_copy, limits={"min_agreement": 1.0})
    with pytest.raises(ParityError, match="disagree") as caught:
        require_within(verify(bundle_copy))
    assert "same most likely token" in (caught.value.why or "")


def test_a_bundle_without_references_is_named(bundle_copy: Path) -> None:
    for name in ("references.json", "references.npy"):
        (bundle_copy / name).unlink()
    rehash(bundle_copy, format=2)
    with pytest.raises(BundleError, match="nothing to verify it by"):
        verify(bundle_copy)
    assert run(bundle_copy).returncode == 5


def test_pickles_and_other_shapes_are_refused(bundle_copy: Path) -> None:
    np.save(bundle_copy / "references.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(BundleError, match="references can't be read"):
        read_references(bundle_copy)
    np.save(bundle_copy / "references.npy", np.zeros(4, np.float32))
    with pytest.raises(BundleError, match="references can't be read"):
        read_references(bundle_copy)
    shutil.copyfile(bundle_copy / "generation.json", bundle_copy / "references.json")
    with pytest.raises(BundleError, match="references can't be read"):
        read_references(bundle_copy)


def test_the_references_are_small(bundle_folder: Path) -> None:
    references = read_references(bundle_folder)
    assert all(answer.logits.shape == (len(answer.ids), 16) for answer in references.answers)
    size = sum((bundle_folder / name).stat().st_size for name in ("references.json", "references.npy"))
    assert size < 10_000 + 150 * references.tokens
