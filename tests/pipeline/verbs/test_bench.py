"""``attar bench``: a table for people, JSON for programs, errors with their exit codes."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from attar.pipeline.measurement.bundles import typical_prompt
from attar.pipeline.measurement.subjects import load_subject
from attar.runtime import Bundle
from attar.runtime.cli import main
from attar.runtime.text import ChatTokenizer

QUICK = ["--pairs", "2", "--tokens", "8", "--rounds", "1", "--threads", "1"]


def test_against_a_teacher_each_figure_comes_as_a_ratio_with_its_interval(
    teacher_folder: Path, bundle_folder: Path
) -> None:
    done = CliRunner().invoke(main, ["bench", str(bundle_folder), "--teacher", str(teacher_folder), *QUICK, "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert set(found["variants"]) == {"bundle", "teacher"}
    assert set(found["ratios"]) == {"size", "load", "memory", "first_token", "decode", "forced"}
    assert all({"ratio", "low", "high", "pairs"} == set(ratio) for ratio in found["ratios"].values())
    assert found["variants"]["bundle"]["size_bytes"] == Bundle.open(bundle_folder).size
    assert (found["tokens"], found["threads"]) == (8, 1)


def test_alone_it_is_a_table_without_ratios(bundle_folder: Path) -> None:
    done = CliRunner().invoke(main, ["bench", str(bundle_folder), *QUICK])
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[:2] == ["| cost | bundle |", "|---|---|"]
    assert [line.split(" |")[0] for line in lines[2:8]] == [
        "| size, MB",
        "| load, s",
        "| peak memory, MB",
        "| first token, ms",
        "| decode, tokens/s",
        "| decode of given tokens, tokens/s",
    ]


def test_the_form_for_a_use_is_measured(two_forms_folder: Path) -> None:
    done = CliRunner().invoke(main, ["bench", str(two_forms_folder), *QUICK, "--use", "throughput", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["variants"]["bundle"]["size_bytes"] == Bundle.open(two_forms_folder).size
    subject = load_subject("bundle", str(two_forms_folder), 1, "throughput")
    assert vars(subject)["_engine"].bundle.form.quantization == "mixed"
    done = CliRunner().invoke(main, ["bench", str(two_forms_folder), *QUICK, "--use", "size"])
    assert done.exit_code == 2
    assert "latency (int8) and throughput (mixed)" in done.output


def test_no_bundle_or_no_teacher_is_a_bad_artifact(bundle_folder: Path, tmp_path: Path) -> None:
    assert CliRunner().invoke(main, ["bench", str(tmp_path), *QUICK]).exit_code == 5
    absent = CliRunner().invoke(main, ["bench", str(bundle_folder), "--teacher", str(tmp_path / "none"), *QUICK])
    assert absent.exit_code == 5
    assert "no such model" in absent.stderr


def test_the_prompt_asks_about_a_record_of_median_length(bundle_folder: Path) -> None:
    bundle = Bundle.open(bundle_folder)
    asked = ChatTokenizer.load(bundle.path).decode(typical_prompt(bundle))
    assert "city:Cork (IE)\ncountry:Ireland" in asked
