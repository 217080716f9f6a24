"""Distilling beside itself: cached signals against the teacher at hand, and attar against the plain loop.

    python -m benchmarks.distillation    # a quarter of an hour on an idle machine of two cores

The teacher is the packaged one, the student half of its layers with the tokens of its data, the samples the questions
on a few records. Each way of training has a process of its own; their epochs are taken in turns, while the others wait.
Ratios have intervals (attar.pipeline.measurement).

- **Cached against online**: the same student, batches and steps; the cached epochs read what was captured before. What
  the capture itself takes is told beside it: it is paid once, by as many epochs as follow.
- **attar against the plain loop** (``plain.py``): the same student, samples and loss. The ratio of tokens a second
  counts what each of the two reads, padding left out; attar reads fewer for the same samples, as questions share their
  record, so the ratio of samples' tokens a second, prompt and answer each time, stands beside it.
- **Memory**: the most that each process, and one that corrects the teacher, held in each of its epochs: the first and
  the last tell whether it grows.

Writes ``benchmarks/results/distillation.json`` and prints the same.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import click

from attar.pipeline.measurement.comparison import Block, compare_blocks, take_blocks
from attar.pipeline.threads import yield_to_others
from attar.runtime.files import write_atomic

_ROOT = Path(__file__).parent.parent.parent
_TRAINING = ("online", "cached", "plain_loop")
_CORRECTIONS = 3
"""Epochs of the correction, of which only the memory is told."""


class Worker:
    """A way of training, in a process that waits until it is asked for an epoch.

    Attributes:
        facts: What it said of itself when it was ready.
        peaks: The most bytes that it held in each of its epochs, or since it began where the kernel tells no more.
    """

    def __init__(self, way: str, sequences: int, teacher: str, compiled: bool) -> None:
        arguments = [way, str(sequences), teacher, "compiled" if compiled else "plain"]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.distillation.worker", *arguments],
            cwd=_ROOT,
            env=os.environ | {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.way = way
        self.peaks: list[int] = []
        self.facts = self._read()

    def epoch(self) -> float:
        """Its seconds."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        found = self._read()
        self.peaks.append(found["peak"])
        return float(found["seconds"])

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise click.ClickException(f"the process of {self.way!r} ended; what it said stands above")
        found: dict[str, Any] = json.loads(line)
        return found

    def __enter__(self) -> Worker:
        self.epoch()  # compiles, and fills what is filled once
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait()


def times_faster(blocks: Sequence[Block], work: float) -> dict[str, float]:
    """How many times the slow's tokens a second the fast reads.

    Args:
        blocks: Seconds of epochs, the fast's and the slow's.
        work: Tokens of the fast's epoch by tokens of the slow's.
    """
    return compare_blocks([([second / work for second in ours], theirs) for ours, theirs in blocks]).to_dict()


def memory(worker: Worker) -> dict[str, int]:
    """Bytes that it held at most, in its first epoch, its last, and all of them."""
    return {"first": worker.peaks[0], "last": worker.peaks[-1], "most": max(worker.peaks), "epochs": len(worker.peaks)}


def measure(workers: dict[str, Worker], pairs: int) -> dict[str, Any]:
    """All ratios of the ways of training."""
    online, cached, plain = (workers[way] for way in _TRAINING)
    found: dict[str, Any] = {}
    for fast, slow in ((cached, online), (online, plain), (cached, plain)):
        blocks = list(take_blocks(fast.epoch, slow.epoch, pairs))
        works = {counted: fast.facts[counted] / slow.facts[counted] for counted in ("tokens", "samples_tokens")}
        found[f"{fast.way}_against_{slow.way}"] = {name: times_faster(blocks, work) for name, work in works.items()}
    return found


@click.command()
@click.option(
    "--pairs", type=click.IntRange(2), default=8, show_default=True, help="Epochs of each way, in each ratio."
)
@click.option("--sequences", type=click.IntRange(1), default=12, show_default=True, help="Records of an epoch.")
@click.option("--teacher", default="", help="Another teacher than the packaged one.")
@click.option("--compiled/--no-compiled", default=True, show_default=True, help="Whether attar's layers are compiled.")
@click.option("--out", type=click.Path(path_type=Path), default=_ROOT / "benchmarks/results/distillation.json")
def main(pairs: int, sequences: int, teacher: str, compiled: bool, out: Path) -> None:
    """Measure, print, and write."""
    yield_to_others()
    with ExitStack() as stack:
        workers = {way: stack.enter_context(Worker(way, sequences, teacher, compiled)) for way in _TRAINING}
        found = measure(workers, pairs)
        memories = {way: memory(worker) for way, worker in workers.items()}
        facts = workers["cached"].facts
    with Worker("correction", sequences, teacher, compiled) as correction:
        for _ in range(_CORRECTIONS - 1):
            correction.epoch()
        memories["correction"] = memory(correction)
    text = json.dumps({**facts, **found, "memory": memories}, indent=2)
    write_atomic(out, text + "\n")
    click.echo(text)


if __name__ == "__main__":
    main()
