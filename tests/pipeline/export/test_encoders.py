"""``export_encoder``: a bundle that embeds as torch does, or an error and nothing left behind."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from safetensors.torch import load_file, save_file

from attar.pipeline.export import export_encoder
from attar.pipeline.export.fast import FORMS
from attar.pipeline.export.sentences import SENTENCES
from attar.runtime.bundle import Bundle
from attar.runtime.cli import main
from attar.runtime.embeddings import OnnxEmbeddings
from attar.runtime.errors import ModelError, ParityError, UsageError
from attar.runtime.verification import require_within, verify
from tests.conftest import CITIES
from tests.tiny import tiny_bert


@pytest.mark.parametrize("graph", ["fast", "optimum"])
@pytest.mark.parametrize("form", ["none", "int8"])
def test_a_bundle_holds_what_it_says(encoder_folder: Path, tmp_path: Path, form: str, graph: str) -> None:
    bundle = export_encoder(encoder_folder, tmp_path / "b", form=form, graph=graph)
    manifest = bundle.manifest
    assert manifest == Bundle.open(tmp_path / "b", task="feature-extraction").manifest
    assert (manifest.task, manifest.quantization, manifest.graph) == ("feature-extraction", form, graph)
    assert manifest.architecture.context_length == 128
    for rung in {"optimum", graph}:
        assert manifest.parity[rung]["largest_difference"] < 1e-4
        assert manifest.parity[rung]["texts"] == len(SENTENCES)
    assert set(manifest.parity) == {"optimum", graph} | ({form} - {"none"})
    assert manifest.parity.get("int8", {"mean_cosine": 1})["mean_cosine"] > 0.99
    names = {path.name for path in bundle.path.iterdir()}
    assert names - {"model.onnx.data"} == {
        "attar.json",
        "model.onnx",
        "tokenizer.json",
        "references.json",
        "references.npy",
    }
    assert list(tmp_path.iterdir()) == [bundle.path]


def test_a_form_that_is_too_far_off_leaves_nothing(encoder_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ParityError, match="int4 graph and torch disagree") as caught:
        export_encoder(encoder_folder, tmp_path / "b", form="int4", min_cosine=0.99999)
    assert "mean cosine of at least 0.99999" in (caught.value.why or "")
    assert list(tmp_path.iterdir()) == []


def test_a_family_without_a_fast_graph_gets_optimums(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = tiny_bert(tmp_path / "m", CITIES, hidden_act="relu")
    bundle = export_encoder(folder, tmp_path / "b", form="int8-dynamic")
    assert (bundle.manifest.graph, bundle.manifest.quantization) == ("optimum", "int8")
    assert "no fast graph for a bert model (its activation is relu" in capfd.readouterr().err


def test_what_is_no_encoder_is_named(teacher_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="llama model is not an encoder"):
        export_encoder(teacher_folder, tmp_path / "b")
    assert list(tmp_path.iterdir()) == []


def test_a_form_that_there_is_not_is_named(encoder_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no form 'int3'") as caught:
        export_encoder(encoder_folder, tmp_path / "b", form="int3")
    assert "int8-dynamic" in (caught.value.next_step or "")


def test_a_form_chooses_itself_and_the_others_are_told_why_not(
    encoder_folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bundle = export_encoder(encoder_folder, tmp_path / "b", form="auto", min_cosine=0.995, wanted="size")
    choice, form = bundle.manifest.choice, bundle.manifest.quantization
    assert set(choice["candidates"]) == set(FORMS) == {*choice["rejected"], form}
    for name, found in choice["candidates"].items():
        assert found["seconds"] > 0 and found["tokens_per_second"] > 0
        assert (found["refused"] is None) == (found["cosine"] >= 0.995), name
    refused = choice["candidates"]["int4-all"]["refused"]
    assert refused.endswith("with torch, wanted 0.995")
    assert choice["rejected"]["int4-all"] == refused
    passing = {name: found["size"] for name, found in choice["candidates"].items() if found["refused"] is None}
    assert passing[form] == min(passing.values()) < passing["none"]
    assert (choice["gate"], choice["texts"]) == ({"min_cosine": 0.995}, len(SENTENCES))
    said = capfd.readouterr().err
    assert f"chose {form} for size" in said
    assert f"not int4-all: {refused}" in said
    require_within(verify(bundle.path, threads=1))
    assert list(tmp_path.iterdir()) == [bundle.path]


def test_where_no_form_is_near_enough_fp32_is_kept(encoder_folder: Path, tmp_path: Path) -> None:
    bundle = export_encoder(encoder_folder, tmp_path / "b", form="auto", min_cosine=1.0, graph="optimum")
    assert (bundle.manifest.quantization, bundle.manifest.graph) == ("none", "optimum")
    assert bundle.manifest.limits == {"max_difference": 1e-4}
    assert set(bundle.manifest.choice["rejected"]) == {"int8", "int4"}


def test_the_best_for_each_use_is_there_to_embed_with(encoder_folder: Path, tmp_path: Path) -> None:
    out, uses = str(tmp_path / "b"), ["--for", "latency", "--for", "size"]
    options = ["--task", "feature-extraction", "--quantize", "auto", "--min-cosine", "0.9", "--json"]
    done = CliRunner().invoke(main, ["export", str(encoder_folder), "--out", out, *options, *uses])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    passing = {name: found for name, found in told["choice"]["candidates"].items() if found["refused"] is None}
    smallest = min(passing, key=lambda name: passing[name]["size"])
    assert {use for form in told["forms"] for use in form["uses"]} == {"latency", "size"}
    (alone,) = OnnxEmbeddings(bundle=out, use="size", threads=1).embed_documents(["Copenhagen"])
    bundle = export_encoder(encoder_folder, tmp_path / "alone", form=smallest, min_cosine=0.9)
    assert alone == OnnxEmbeddings(bundle=bundle.path, threads=1).embed_query("Copenhagen")
    with pytest.raises(UsageError, match="no form for 'throughput'"):
        OnnxEmbeddings(bundle=out, use="throughput").embed_query("Copenhagen")
    assert CliRunner().invoke(main, ["verify", out]).exit_code == 0


def test_a_weight_that_is_not_a_number_is_named(encoder_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(encoder_folder, tmp_path / "m"))
    weights = load_file(folder / "model.safetensors")
    weights["encoder.layer.1.output.dense.weight"][3, 4] = float("inf")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="not numbers") as caught:
        export_encoder(folder, tmp_path / "b")
    assert "encoder.layer.1" in (caught.value.where or "")
    assert list(tmp_path.iterdir()) == [folder]


def test_the_verb_exports_verifies_and_tells_of_it(encoder_folder: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "not" / "yet" / "b")
    options = ["--task", "feature-extraction", "--quantize", "int8-dynamic", "--min-cosine", "0.95"]
    done = CliRunner().invoke(main, ["export", str(encoder_folder), "--out", out, *options])
    assert done.exit_code == 0, done.output
    assert "int8-dynamic: cosine with torch 0.9" in done.output
    manifest = json.loads((Path(out) / "attar.json").read_text())
    assert manifest["limits"] == {"min_cosine": 0.95}
    done = CliRunner().invoke(main, ["verify", out])
    assert done.exit_code == 0, done.output
    assert "cosine with torch: mean 0.9" in done.output
    done = CliRunner().invoke(main, ["doctor", out, "--json"])
    assert "bundle embedding" in done.output
    done = CliRunner().invoke(main, ["ask", out, "Who?"])
    assert done.exit_code == 5
    assert "OnnxEmbeddings" in done.output
