"""``export_model``: a bundle that equals torch, or an error and nothing left behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from attar.pipeline import export_model
from attar.pipeline.config import ExportConfig
from attar.pipeline.export import parity
from attar.pipeline.export.reference import architecture_of, export_reference
from attar.pipeline.teacher import load_model
from attar.runtime.bundle import Bundle
from attar.runtime.errors import ModelError, ParityError
from tests.conftest import CITIES
from tests.tiny import tiny_gpt2

LOOSE = {"min_agreement": 0.5}


@pytest.mark.parametrize("form", ["none", "int8"])
def test_a_bundle_holds_what_it_says(teacher_folder: Path, tmp_path: Path, form: str) -> None:
    bundle = export_model(teacher_folder, tmp_path / "b", ExportConfig.model_validate({"quantize": form, **LOOSE}))
    assert bundle.manifest == Bundle.open(tmp_path / "b").manifest
    assert bundle.manifest.quantization == form
    assert bundle.manifest.parity["fp32"]["largest_logit_difference"] < 1e-3
    assert bundle.manifest.parity["fp32"]["greedy_equal"] == 1.0
    assert set(bundle.manifest.parity) == {"fp32"} | ({form} - {"none"})
    names = {path.name for path in (tmp_path / "b").iterdir()}
    assert names == {"attar.json", *bundle.manifest.files}
    assert not names & {"tokenizer.model", "records.sqlite"}
    assert list(tmp_path.iterdir()) == [tmp_path / "b"]


def test_gpt2_is_exported_too(tmp_path: Path) -> None:
    folder = tiny_gpt2(tmp_path / "gpt2", CITIES)
    bundle = export_model(folder, tmp_path / "b", ExportConfig.model_validate({"quantize": "int8", **LOOSE}))
    assert bundle.manifest.architecture.model_type == "gpt2"


def test_beyond_the_tolerance_there_is_no_bundle_and_the_old_one_stays(teacher_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "b"
    with pytest.raises(ParityError, match="int4 graph and torch disagree") as caught:
        export_model(teacher_folder, out, ExportConfig(quantize="int4", min_agreement=1.0))
    assert caught.value.exit_code == 1
    assert not out.exists()
    export_model(teacher_folder, out, ExportConfig(quantize="none"))
    before = (out / "attar.json").read_bytes()
    with pytest.raises(ParityError, match="Optimum's graph and torch disagree"):
        export_model(teacher_folder, out, ExportConfig(quantize="none", max_logit_difference=1e-12))
    assert (out / "attar.json").read_bytes() == before
    assert list(tmp_path.iterdir()) == [out]


def test_a_graph_of_other_weights_fails_parity(teacher_folder: Path, tmp_path: Path) -> None:
    loaded = load_model(str(teacher_folder))
    graph = export_reference(loaded.model.eval(), tmp_path / "onnx")
    changed = load_file(teacher_folder / "model.safetensors")
    name = "model.layers.1.self_attn.v_proj.weight"
    changed[name] = changed[name].roll(1, 0).contiguous()
    save_file(changed, tmp_path / "w.safetensors")
    loaded.model.load_state_dict(changed, strict=False)
    references = parity.reference_answers(loaded.model, [[1, 90, 91, 92]], [2])
    found = parity.measure_parity(graph, architecture_of(loaded.model), references)
    assert found.largest_logit_difference > 1e-2


def test_an_architecture_that_optimum_does_not_know_is_named(teacher_folder: Path, tmp_path: Path) -> None:
    import shutil

    folder = Path(shutil.copytree(teacher_folder, tmp_path / "m"))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "olmoe2000"}))
    with pytest.raises(ModelError):
        export_model(folder, tmp_path / "b", ExportConfig())
    assert not (tmp_path / "b").exists()
