"""The command group: instant help, errors for people and programs, exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.runtime.test_imports import modules_after


def attar(*arguments: str) -> subprocess.CompletedProcess[str]:
    code = "from attar.runtime.cli import main; main()"
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)


def fastest(*arguments: str) -> tuple[subprocess.CompletedProcess[str], float]:
    """The best of five: what else the machine does is not attar's."""
    times = []
    for _ in range(5):
        started = time.monotonic()
        done = attar(*arguments)
        times.append(time.monotonic() - started)
    return done, min(times)


def test_help_names_every_verb_fast_and_loads_nothing() -> None:
    done, seconds = fastest("--help")
    assert seconds < 0.3
    assert all(verb in done.stdout for verb in ("ask", "chat", "export", "run", "Exit codes"))
    loaded = modules_after("from attar.runtime.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass")
    assert not loaded & {"torch", "langchain_core", "onnxruntime", "numpy", "pydantic"}


@pytest.mark.parametrize(
    "verb", ["ask", "bench", "chat", "config", "data", "doctor", "export", "init", "plan", "run", "verify"]
)
def test_each_verbs_help_has_an_example(verb: str) -> None:
    done, seconds = fastest(verb, "--help")
    assert done.returncode == 0
    assert seconds < 0.3
    examples = done.stdout.split("Example", 1)[1].splitlines()
    assert any(line.startswith(f"    attar {verb} ") for line in examples)
    assert "\\b" not in done.stdout


def test_an_answer_is_on_standard_output(bundle_folder: Path) -> None:
    done = attar("ask", str(bundle_folder), "Where is Atlantis?")
    assert (done.returncode, done.stdout) == (0, "I have no record that this question names.\n")
    value = json.loads(attar("ask", str(bundle_folder), "Where is Cork?", "--json").stdout)
    assert value["candidates"] == ["Cork (IE)", "Cork (US)"]


def test_an_error_says_what_where_and_what_next_without_a_traceback(tmp_path: Path) -> None:
    done = attar("ask", str(tmp_path), "Where?")
    assert done.returncode == 5
    assert "no bundle here" in done.stderr
    assert str(tmp_path) in done.stderr
    assert "next:" in done.stderr
    assert "Traceback" not in done.stderr
    value = json.loads(attar("ask", str(tmp_path), "Where?", "--json").stdout)
    assert (value["error"], value["exit_code"]) == ("BundleError", 5)
    assert "Traceback" in attar("--debug", "ask", str(tmp_path), "Where?").stderr


def test_unknown_verbs_and_options_are_usage_errors() -> None:
    assert attar("distil").returncode == 2
    assert attar("ask", "--loud").returncode == 2


def test_a_base_install_says_what_a_pipeline_verb_needs(tmp_path: Path) -> None:
    blocked = (
        "import sys; sys.modules['pydantic'] = None\nfrom attar.runtime.cli import main; main(['run', 'config.json'])"
    )
    done = subprocess.run([sys.executable, "-c", blocked], capture_output=True, text=True)
    assert done.returncode == 2
    assert "pip install 'attar[pipeline]'" in done.stderr
