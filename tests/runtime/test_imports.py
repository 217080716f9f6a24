"""The runtime stays light, and its names stay where users find them."""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys
import time

import attar.runtime

HEAVY = ("torch", "transformers", "optimum", "onnx", "pandas", "pyarrow", "attar.pipeline")


def modules_after(code: str) -> set[str]:
    script = f"{code}\nimport sys, json; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_importing_everything_of_the_runtime_brings_in_nothing_heavy() -> None:
    names = [module.name for module in pkgutil.walk_packages(attar.runtime.__path__, "attar.runtime.")]
    assert len(names) > 20
    loaded = modules_after("import importlib\n" + "\n".join(f"importlib.import_module({name!r})" for name in names))
    assert not loaded & set(HEAVY)


def test_importing_the_runtime_alone_brings_in_neither_langchain_nor_onnxruntime() -> None:
    loaded = modules_after("import attar.runtime")
    assert not loaded & {*HEAVY, "langchain_core", "onnxruntime", "numpy"}


def test_importing_the_runtime_takes_less_than_a_second() -> None:
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", "import attar.runtime"], check=True)
    assert time.monotonic() - started < 1


def test_every_public_name_is_there() -> None:
    expected = {"AgentState", "AgenticWorkflow", "Bundle", "ChatOnnx", "DistilledModelAgent", "Engine"}
    assert expected <= set(attar.runtime.__all__)
    assert all(getattr(attar.runtime, name).__name__ == name for name in attar.runtime.__all__)
    assert dir(attar.runtime) == sorted(attar.runtime.__all__)
