"""A bundle of several forms is opened in the one for a use; one that it has not is named with those it has."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from attar.runtime.bundle import Bundle
from attar.runtime.chat import ChatOnnx
from attar.runtime.cli import main
from attar.runtime.engine import Engine
from attar.runtime.errors import BundleError, UsageError
from attar.runtime.forms import listed, uses_of
from attar.runtime.verification import require_within, verify, verify_forms
from tests.runtime.test_verification import rehash


@pytest.fixture
def two_forms(two_forms_folder: Path, tmp_path: Path) -> Path:
    """A copy that a test may break."""
    return Path(shutil.copytree(two_forms_folder, tmp_path / "two"))


@pytest.mark.parametrize(
    ("use", "form", "graph"),
    [
        (None, "int8", "model.onnx"),
        ("latency", "int8", "model.onnx"),
        ("throughput", "mixed", "model-throughput.onnx"),
    ],
)
def test_a_use_opens_its_form_and_none_the_first(
    two_forms_folder: Path, use: str | None, form: str, graph: str
) -> None:
    bundle = Bundle.open(two_forms_folder, use=use)
    assert (bundle.form.quantization, bundle.graph) == (form, two_forms_folder / graph)
    assert ChatOnnx(bundle=two_forms_folder, use=use, threads=1).loaded.engine.bundle == bundle


def test_a_use_without_a_form_is_told_with_those_that_there_are(two_forms_folder: Path) -> None:
    with pytest.raises(UsageError, match="no form for 'size'") as caught:
        Bundle.open(two_forms_folder, use="size")
    assert caught.value.why == "It has one for latency (int8) and throughput (mixed)."


def test_a_bundle_of_one_form_has_the_uses_that_it_was_chosen_for(bundle_copy: Path) -> None:
    with pytest.raises(UsageError, match="no form for 'latency'") as caught:
        Bundle.open(bundle_copy, use="latency")
    assert caught.value.why == "Its one form, none, was made for no use in particular."
    rehash(bundle_copy, choice={"wanted": ["latency", "size"]})
    assert Bundle.open(bundle_copy, use="size").form == Bundle.open(bundle_copy).form
    with pytest.raises(UsageError, match="no form for 'throughput'"):
        Bundle.open(bundle_copy, use="throughput")


def test_a_form_loads_without_the_files_of_the_other(two_forms: Path) -> None:
    for use in ("latency", "throughput"):
        folder = Path(shutil.copytree(two_forms, two_forms.parent / use))
        bundle = Bundle.open(folder, use=use)
        for form in bundle.forms:
            for name in set(form.files) - set(bundle.form.files):
                (folder / name).unlink()
        assert len(list(Engine(bundle, threads=1).generate([1, 90, 91], max_new_tokens=3, stop_ids=()))) == 3


def test_every_form_is_verified_and_named(two_forms: Path) -> None:
    found = verify_forms(two_forms, threads=1)
    assert [(each.form, each.uses) for each in found] == [("int8", ("latency",)), ("mixed", ("throughput",))]
    for each, form in zip(found, Bundle.open(two_forms).forms, strict=True):
        require_within(each)
        assert each.parity.to_dict()["agreement"] == form.parity[form.quantization]["agreement"]
    assert verify(two_forms, threads=1, use="throughput") == found[1]
    done = CliRunner().invoke(main, ["verify", str(two_forms), "--threads", "1"])
    assert done.exit_code == 0, done.output
    assert "int8 for latency, fast graph" in done.output
    assert "mixed for throughput, fast graph" in done.output


def test_one_form_beyond_its_limits_fails_the_bundle_and_is_named(two_forms: Path) -> None:
    forms = json.loads((two_forms / "attar.json").read_text())["forms"]
    forms[1]["limits"] = {"min_greedy_equal": 1.1}
    rehash(two_forms, forms=forms)
    done = CliRunner().invoke(main, ["verify", str(two_forms), "--json", "--threads", "1"])
    assert done.exit_code == 1
    assert "the mixed form of the bundle and torch disagree" in done.output
    assert [each["form"] for each in json.loads(done.stdout.splitlines()[0])["forms"]] == ["int8", "mixed"]
    done = CliRunner().invoke(main, ["verify", str(two_forms), "--use", "latency", "--threads", "1"])
    assert done.exit_code == 0, done.output


def test_ask_and_chat_take_a_use(two_forms_folder: Path) -> None:
    for verb, question in (("ask", ["What is the capital?"]), ("chat", [])):
        called = [verb, str(two_forms_folder), *question, "--use"]
        done = CliRunner().invoke(main, [*called, "throughput"], input="What is the capital?\n")
        assert done.exit_code == 0, done.output
        done = CliRunner().invoke(main, [*called, "size"], input="What is the capital?\n")
        assert done.exit_code == 2
        assert "latency (int8) and throughput (mixed)" in done.output


def test_doctor_answers_with_each_form(two_forms_folder: Path) -> None:
    done = CliRunner().invoke(main, ["doctor", str(two_forms_folder)])
    for text in ("int8 and mixed", "int8 loaded in", "mixed loaded in"):
        assert text in done.output


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"files": ["model-throughput.onnx", "../weights"]}, "does not list"),
        ({"graph_file": "other.onnx"}, "does not list"),
        ({"uses": []}, "manifest can't be read"),
        ({"uses": 3}, "manifest can't be read"),
        ({"surprise": 1}, "manifest can't be read"),
    ],
)
def test_a_form_that_is_not_as_the_format_has_it_is_refused(
    two_forms: Path, changes: dict[str, object], message: str
) -> None:
    forms = json.loads((two_forms / "attar.json").read_text())["forms"]
    rehash(two_forms, forms=[forms[0], forms[1] | changes])
    with pytest.raises(BundleError, match=message):
        Bundle.open(two_forms)


def test_words_are_listed_as_a_sentence_has_them() -> None:
    assert [listed(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]


def test_what_a_manifest_says_it_was_chosen_for_is_one_word_or_several() -> None:
    assert [uses_of(wanted) for wanted in ("size", ["latency", "size"], None, 3)] == [
        ("size",),
        ("latency", "size"),
        (),
        (),
    ]
