"""A variant in a fresh process of its own that stays alive, and is asked for one answer at a time.

Two such processes can be measured in turn, answer by answer; the one that waits must not compute.
Does not know what a variant is made of.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from attar.runtime.errors import CheckFailed

__all__ = ["Variant", "WorkerProcess"]

_WORKER = "attar.pipeline.measurement.worker"
_IDLE_SHARE = 0.05  # of the time that it waits; a worker that spins uses one or more
_IDLE_SECONDS = 0.02  # below this the clock's grain shows


@dataclass(frozen=True)
class Variant:
    """What to load.

    Attributes:
        kind: "torch", "bundle" or ``module:name``.
        path: A model folder or GGUF file, or a bundle.
        use: What a bundle of several forms is wanted for; None is its first form, and all that other kinds know.
    """

    kind: str
    path: Path | str
    use: str | None = None


class WorkerProcess:
    """A variant in its process; use as a context manager, so that the process ends.

    Args:
        name: What errors call it.
        variant: What it loads.
        threads: What it may compute with.

    Attributes:
        loaded: What loading took: ``load_seconds`` and ``size_bytes``.

    Raises:
        CheckFailed: The process fails.
    """

    def __init__(self, name: str, variant: Variant, threads: int) -> None:
        self.name, self._variant = name, variant
        self._complaints = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 (see close)
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                _WORKER,
                variant.kind,
                str(variant.path),
                str(threads),
                *filter(None, [variant.use]),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            text=True,
            env=os.environ | _settings(threads),
        )
        try:
            self.loaded = self._read()
        except BaseException:
            self.close()
            raise

    def ask(
        self, prompt: Sequence[int], tokens: int, *, given: Sequence[int] | None = None, memory: bool = False
    ) -> dict[str, Any]:
        """One answer, and what it took.

        Args:
            prompt: Ids of the prompt.
            tokens: How many tokens to decode; no token ends the answer.
            given: What is read on with in place of the variant's own choices.
            memory: Whether to watch the memory too.

        Raises:
            CheckFailed: The process fails, decodes another number of tokens, or computed while it waited.
        """
        request = {"prompt": list(prompt), "tokens": tokens, "given": given and list(given), "memory": memory}
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise self._failure() from error
        took = self._read()
        if took["did"]["decoded tokens"] != tokens:
            raise CheckFailed(
                f"{self.name!r} decoded {took['did']['decoded tokens']} tokens instead of {tokens}.",
                where=self._variant.path,
            )
        if took["idle_cpu_seconds"] > max(_IDLE_SECONDS, _IDLE_SHARE * took["idle_seconds"]):
            raise CheckFailed(
                f"{self.name!r} computed while it should have waited, and took time from the other.",
                where=self._variant.path,
                why=f"{took['idle_cpu_seconds']:.2f} s of CPU in {took['idle_seconds']:.2f} s.",
                next_step="Let its idle threads sleep instead of spin.",
            )
        return took

    def __enter__(self) -> WorkerProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        self._process.kill()  # it holds nothing that could be lost
        self._process.communicate()
        self._complaints.close()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise self._failure()
        value: dict[str, Any] = json.loads(line)
        return value

    def _failure(self) -> CheckFailed:
        self._process.wait()
        self._complaints.seek(0)
        return CheckFailed(
            f"The process that measures {self.name!r} failed.",
            where=self._variant.path,
            why=self._complaints.read().strip()[-500:] or f"exit code {self._process.returncode}",
        )


def _settings(threads: int) -> dict[str, str]:
    """Environment in which a worker keeps to its threads, and they sleep when there is nothing to do."""
    return {
        "OMP_NUM_THREADS": str(threads),
        "OMP_WAIT_POLICY": "PASSIVE",
        "KMP_BLOCKTIME": "0",
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
