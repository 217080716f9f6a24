"""A bundle of two forms: each is what it would be alone, what they have alike stands in the folder once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from attar.pipeline import export_model
from attar.pipeline.config import ExportConfig
from attar.pipeline.export.writing import publish
from attar.pipeline.report.forms import forms_lines, weights_text
from attar.pipeline.verbs.export import _lines
from attar.runtime.bundle import FORMAT, ONE_FORM, Bundle
from attar.runtime.cli import main
from attar.runtime.engine import Engine
from attar.runtime.errors import ParityError
from tests.tiny import export_two_forms


def logits_of(bundle: Bundle) -> object:
    session = Engine(bundle, threads=1).session
    return session.forward([1, 90, 91, 92, 40], session.empty_cache(), logits_from=0)[0].copy()


def test_each_form_gives_the_logits_that_it_gives_alone(
    two_forms_folder: Path, teacher_folder: Path, tmp_path: Path
) -> None:
    for use, form in (("latency", "int8"), ("throughput", "mixed")):
        config = ExportConfig.model_validate({"quantize": form, "min_agreement": 0.3})
        alone = export_model(teacher_folder, tmp_path / form, config)
        assert np.array_equal(logits_of(Bundle.open(two_forms_folder, use=use)), logits_of(alone))


def test_what_both_have_alike_stands_there_once(two_forms_folder: Path) -> None:
    bundle = Bundle.open(two_forms_folder)
    files = {name: file["size"] for name, file in bundle.manifest.files.items()}
    assert [set(form.files) for form in bundle.forms] == [
        {"model.onnx", "shared.data", "model.onnx.data"},
        {"model-throughput.onnx", "shared.data", "model-throughput.onnx.data"},
    ]
    for form in bundle.forms:  # the layers' products are alike; the embedding is 8 bits here and 4 bits there
        assert files["shared.data"] > 3 * files[f"{form.graph_file}.data"]
        assert form.size == sum(files[name] for name in form.files)
    assert set(files) == {*(name for form in bundle.forms for name in form.files)} | {
        "chat_template.jinja",
        "generation.json",
        "references.json",
        "references.npy",
        "tokenizer.json",
    }


def test_the_manifest_names_each_form_with_its_ladder_and_what_was_said(two_forms_folder: Path) -> None:
    manifest = Bundle.open(two_forms_folder).manifest
    assert manifest.format == FORMAT
    assert manifest.choice["wanted"] == ["latency", "throughput"]
    first, second = manifest.forms
    assert (first.uses, second.uses) == (("latency",), ("throughput",))
    assert (manifest.quantization, manifest.limits) == (first.quantization, first.limits)
    assert set(first.parity) == {"optimum", "fast", "int8"}
    assert set(second.parity) == {"optimum", "fast", "mixed"}
    assert first.rejected["mixed"] == "0.50 times as fast as int8 here"
    assert second.rejected["int8"] == "0.50 times as much at once as mixed here"
    assert manifest.choice["rejected"].keys() == manifest.choice["candidates"].keys() - {"int8", "mixed"}


def test_a_form_that_is_best_for_both_uses_is_there_alone_and_earlier_versions_read_it(
    teacher_folder: Path, tmp_path: Path
) -> None:
    path = export_two_forms(teacher_folder, tmp_path / "b", latency="int8", throughput="int8")
    value = json.loads((path / "attar.json").read_text())
    assert value["format"] == ONE_FORM == 5
    assert "forms" not in value
    bundle = Bundle.open(path, use="throughput")
    assert bundle.forms == (bundle.form,)
    assert bundle.form.uses == ("latency", "throughput")
    assert "int8, fast graph, the best for latency and throughput" in next(_lines(bundle))


def test_it_is_told_of_both_forms(two_forms_folder: Path) -> None:
    bundle = Bundle.open(two_forms_folder)
    told = "\n".join(_lines(bundle))
    for text in ("2 forms", "for latency: int8", "for throughput: mixed", "shared: "):
        assert text in told
    assert weights_text(bundle.manifest) == "int8 for latency and mixed for throughput"
    card = "\n".join(forms_lines(bundle.manifest))
    assert "| int8 | latency |" in card
    assert "| mixed | throughput |" in card


def test_the_verb_measures_here_and_tells_of_every_use(teacher_folder: Path, tmp_path: Path) -> None:
    called = ["export", str(teacher_folder), "--out", str(tmp_path / "b"), "--min-agreement", "0.3", "--json"]
    uses = ["--for", "latency", "--for", "size"]
    done = CliRunner().invoke(main, [*called, "--quantize", "int8", *uses])
    assert done.exit_code == 2
    assert "--for is given 2 times, and --quantize int8 makes one form" in done.output
    done = CliRunner().invoke(main, [*called, "--quantize", "auto", *uses])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    passing = {name: found for name, found in told["choice"]["candidates"].items() if found["refused"] is None}
    fastest = min(passing, key=lambda name: passing[name]["seconds"])
    smallest = min(passing, key=lambda name: passing[name]["size"])
    assert {use: form["quantization"] for form in told["forms"] for use in form["uses"]} == {
        "latency": fastest,
        "size": smallest,
    }
    assert len(told["forms"]) == len({fastest, smallest})
    assert Bundle.open(tmp_path / "b", use="size").form.quantization == smallest


def test_a_published_copy_holds_both_forms(two_forms_folder: Path, tmp_path: Path) -> None:
    bundle = Bundle.open(two_forms_folder)
    copy = publish(bundle, tmp_path / "b", scores={"quantized": {}}, card="# A card\n")
    assert copy.forms == bundle.forms
    assert np.array_equal(logits_of(copy.for_use("throughput")), logits_of(bundle.for_use("throughput")))


def test_optimums_graph_can_come_in_two_forms_too(teacher_folder: Path, tmp_path: Path) -> None:
    path = export_two_forms(teacher_folder, tmp_path / "b", throughput="int4", graph="optimum")
    for use, form in (("latency", "int8"), ("throughput", "int4")):
        bundle = Bundle.open(path, use=use)
        assert (bundle.form.quantization, bundle.manifest.graph) == (form, "optimum")
        assert np.isfinite(logits_of(bundle)).all()


def test_a_ladder_beyond_its_limits_leaves_nothing(teacher_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ParityError):
        export_two_forms(teacher_folder, tmp_path / "b", max_logit_difference=1e-12)
    assert list(tmp_path.iterdir()) == []
