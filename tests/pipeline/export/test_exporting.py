"""``export_model``: a bundle that equals torch, or an error and nothing left behind."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from attar.pipeline import export_model
from attar.pipeline.config import ExportConfig
from attar.pipeline.export import checks, parity
from attar.pipeline.export.reference import architecture_of, export_reference
from attar.pipeline.teacher import load_model
from attar.runtime.bundle import Bundle
from attar.runtime.engine import Engine
from attar.runtime.errors import ModelError, OutOfSpace, ParityError, UsageError
from tests.conftest import CITIES
from tests.tiny import tiny_gpt2, tiny_llama

LOOSE = {"min_agreement": 0.5}


@pytest.mark.parametrize("graph", ["fast", "optimum"])
@pytest.mark.parametrize("form", ["none", "int8"])
def test_a_bundle_holds_what_it_says(teacher_folder: Path, tmp_path: Path, form: str, graph: str) -> None:
    config = ExportConfig.model_validate({"quantize": form, "graph": graph, **LOOSE})
    bundle = export_model(teacher_folder, tmp_path / "b", config)
    assert bundle.manifest == Bundle.open(tmp_path / "b").manifest
    assert (bundle.manifest.quantization, bundle.manifest.graph) == (form, graph)
    exact = {"optimum", graph}
    for rung in exact:
        assert bundle.manifest.parity[rung]["largest_logit_difference"] < 1e-3
        assert bundle.manifest.parity[rung]["greedy_equal"] == 1.0
    assert set(bundle.manifest.parity) == exact | ({form} - {"none"})
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
    references = parity.reference_answers(loaded.model, [[1, 90, 91, 92]], [2], tmp_path)
    found = parity.measure_parity(graph, "optimum", architecture_of(loaded.model), references)
    assert found.largest_logit_difference > 1e-2


def test_an_architecture_that_optimum_does_not_know_is_named(teacher_folder: Path, tmp_path: Path) -> None:
    folder = changed_config(teacher_folder, tmp_path / "m", model_type="olmoe2000")
    with pytest.raises(ModelError):
        export_model(folder, tmp_path / "b", ExportConfig())
    assert not (tmp_path / "b").exists()


def test_a_family_without_a_fast_graph_gets_optimums_and_is_told(
    teacher_folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = changed_config(teacher_folder, tmp_path / "m", hidden_act="gelu")
    bundle = export_model(folder, tmp_path / "b", ExportConfig(quantize="none"))
    assert bundle.manifest.graph == "optimum"
    assert "no fast graph for a llama model (its activation is gelu" in "".join(capfd.readouterr())
    assert len(list(Engine(bundle, threads=1).generate([1, 90, 91], max_new_tokens=4, stop_ids=()))) == 4
    bundle = export_model(folder, tmp_path / "b", ExportConfig(quantize="mixed", min_agreement=0.5))
    assert bundle.manifest.quantization == "int8"


def test_optimums_graph_has_not_every_form(teacher_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no form int8-dynamic"):
        export_model(teacher_folder, tmp_path / "b", ExportConfig(quantize="int8-dynamic", graph="optimum"))


def test_head_sizes_that_the_fused_operator_refuses_are_named(tmp_path: Path) -> None:
    folder = tiny_llama(tmp_path / "m", CITIES, layers=1, width=96)
    with pytest.raises(ModelError, match="attention heads of size 24") as caught:
        export_model(folder, tmp_path / "b", ExportConfig(quantize="none"))
    assert caught.value.exit_code == 5
    assert list(tmp_path.iterdir()) == [folder]
    assert export_model(folder, tmp_path / "b", ExportConfig(quantize="none", graph="optimum"))


def test_a_weight_that_is_not_a_number_is_named(teacher_folder: Path, tmp_path: Path) -> None:
    folder = changed_config(teacher_folder, tmp_path / "m")
    weights = load_file(folder / "model.safetensors")
    weights["model.layers.2.mlp.up_proj.weight"][3, 4] = float("nan")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="not numbers") as caught:
        export_model(folder, tmp_path / "b", ExportConfig())
    assert "layers.2.mlp.up_proj" in (caught.value.where or "")
    assert list(tmp_path.iterdir()) == [folder]


def test_too_little_disk_is_said_before_anything_is_made(
    teacher_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "free_disk", lambda path: 1000)
    with pytest.raises(OutOfSpace, match="no room") as caught:
        export_model(teacher_folder, tmp_path / "b", ExportConfig())
    assert caught.value.exit_code == 1
    assert list(tmp_path.iterdir()) == []


def changed_config(folder: Path, copy: Path, **changes: object) -> Path:
    shutil.copytree(folder, copy)
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | changes))
    return copy
