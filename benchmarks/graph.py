"""The fast graph beside torch, Optimum and its peers: one run, every model in a process of its own, in turn.

    python benchmarks/graph.py                                   # the quickstart's student, after `make quickstart`
    python benchmarks/graph.py --run runs/full --rounds 9        # another run
    benchmarks/peers/make.sh                                     # first, for onnxruntime-genai and llama.cpp

Results go to benchmarks/results/ as JSON, table and plot. Nothing else should use the machine. A peer whose
environment is missing is left out, and the table says so.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import click
from graph_report import plot, table

HERE = Path(__file__).parent
WORKER = HERE / "peers" / "worker.py"
DECODED, PREFILLED, STREAMS = 64, 512, 8
CONTEXTS = (64, 512, 2048, 8192)
AT_CONTEXT = 16


@dataclass(frozen=True)
class Entrant:
    """Something to measure: what the worker loads, with which Python."""

    name: str
    kind: str
    path: Path
    python: str = sys.executable
    size: int = 0
    exact_match: float | None = None


@dataclass
class Found:
    """What was measured of an entrant; medians over the rounds."""

    size: int
    exact_match: float | None
    decode: float = 0.0
    prefill: float = 0.0
    question_seconds: float = 0.0
    eight_at_once: float | None = None
    eight_over_one: float | None = None
    contexts: dict[int, dict[str, float]] = field(default_factory=dict)


class Worker:
    """An entrant's process."""

    def __init__(self, entrant: Entrant, threads: int) -> None:
        self.entrant = entrant
        settings = {"OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "PASSIVE", "HF_HUB_OFFLINE": "1"}
        command = [entrant.python, str(WORKER), entrant.kind, str(entrant.path), str(threads)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | settings
        )
        self._read()

    def ask(self, prompt: Sequence[int], tokens: int, streams: int = 1) -> dict[str, Any]:
        """One answer and what it took."""
        assert self._process.stdin is not None
        request = {"prompt": list(prompt), "tokens": tokens, "streams": streams}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        found = self._read()
        assert len(found["ids"]) == tokens, f"{self.entrant.name} decoded {len(found['ids'])} tokens"
        return found

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise click.ClickException(f"{self.entrant.name} ended with {self._process.wait()}")
        value: dict[str, Any] = json.loads(line)
        return value


def entrants(run: Path, scratch: Path, peers: Path, scored: int) -> list[Entrant]:
    """Teacher, Optimum, every form, and the peers that are there."""
    from attar.pipeline.export.choosing import Trial, score_of
    from attar.pipeline.export.exporting import stop_ids_of
    from attar.pipeline.export.fast import FORMS, build_fast
    from attar.pipeline.export.reference import architecture_of, export_reference
    from attar.pipeline.teacher import load_model

    teacher, student = run / "stages/teacher/model", run / "stages/student/model"
    loaded = load_model(str(student))
    loaded.model.eval()
    shape = architecture_of(loaded.model)
    prompts, expected = questions(run)
    trial = Trial(prompts[:scored], expected[:scored], loaded.tokenizer.decode, 32)
    export_reference(loaded.model, scratch / "optimum")
    found = [
        Entrant("teacher, torch fp32", "torch", teacher, size=(teacher / "model.safetensors").stat().st_size),
        Entrant("Optimum ORTModelForCausalLM fp32", "optimum", scratch / "optimum", size=weigh(scratch / "optimum")),
    ]
    for form in FORMS:
        folder = scratch / form
        folder.mkdir()
        graph = build_fast(loaded.model, folder / "model.onnx", form)
        (folder / "shape.json").write_text(json.dumps(asdict(shape)))
        score = score_of(graph, "fast", shape, trial, stop_ids_of(loaded), form)[0] if scored else None
        found.append(Entrant(f"attar {form}", "attar", folder, size=weigh(folder), exact_match=score))
    return [*found, *peer_entrants(student, scratch, peers)]


def peer_entrants(student: Path, scratch: Path, peers: Path) -> list[Entrant]:
    """The student as each peer's own tools make 4 bits of it."""
    found = []
    genai, llama = peers / "genai/bin/python", peers / "llama/bin/python"
    if genai.exists():
        out = scratch / "genai"
        options = ["-p", "int4", "-e", "cpu", "-c", str(scratch), "--extra_options", "int4_accuracy_level=4"]
        made(genai, "-m", "onnxruntime_genai.models.builder", "-i", student, "-o", out, *options)
        found.append(Entrant("onnxruntime-genai int4", "genai", out, str(genai), weigh(out)))
    if llama.exists() and any(llama.parent.parent.glob("lib/*/site-packages/llama_cpp")):
        out = scratch / "student.gguf"
        made(llama, HERE / "peers" / "to_gguf.py", student, out)
        found.append(Entrant("llama.cpp Q4_0", "llama", out, str(llama), out.stat().st_size))
    return found


def made(python: Path, *arguments: object) -> None:
    """Run a peer's tool, and show what it says only where it fails."""
    done = subprocess.run([str(python), *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        raise click.ClickException(f"{python}: {done.stderr[-2000:]}")


def questions(run: Path) -> tuple[list[list[int]], list[str]]:
    """Prompts of the run's held-out samples, and the right answers."""
    from attar.pipeline.data.render import prompt_ids
    from attar.pipeline.data.samples import read_samples
    from attar.runtime.text import ChatTokenizer

    tokenizer = ChatTokenizer.load(run / "stages/student/model")
    test = read_samples(run / "stages/data/test.parquet")
    return [prompt_ids(sample, tokenizer) for sample in test], [sample.answer for sample in test]


def typical(run: Path) -> tuple[list[int], int]:
    """The prompt of median length, and an answer's median length with its end."""
    from attar.runtime.text import ChatTokenizer

    prompts, answers = questions(run)
    tokenizer = ChatTokenizer.load(run / "stages/student/model")
    length = round(statistics.median(len(tokenizer.encode(answer)) for answer in answers)) + 1
    return sorted(prompts, key=len)[len(prompts) // 2], length


def weigh(folder: Path) -> int:
    """Bytes of the files in a folder that are opened to answer."""
    return sum(path.stat().st_size for path in folder.iterdir() if path.suffix in {".onnx", ".data", ".onnx_data"})


def measure(workers: Sequence[Worker], prompt: Sequence[int], answer: int, rounds: int) -> dict[str, Found]:
    """All entrants in turn, round by round, the other way round every second time; the first round warms up."""
    took: dict[str, dict[str, list[float]]] = {worker.entrant.name: {} for worker in workers}

    def note(worker: Worker, figure: str, value: float) -> None:
        took[worker.entrant.name].setdefault(figure, []).append(value)

    long = (list(prompt) * (PREFILLED // len(prompt) + 1))[:PREFILLED]
    for turn in range(rounds + 1):
        click.echo(f"round {turn} of {rounds}", err=True)
        for worker in workers if turn % 2 else reversed(workers):
            decoded = worker.ask(long[:128], DECODED)
            note(worker, "decode", (DECODED - 1) / decoded["rest_seconds"])
            note(worker, "prefill", PREFILLED / worker.ask(long, 1)["first_seconds"])
            asked = worker.ask(prompt, answer)
            note(worker, "question", asked["first_seconds"] + asked["rest_seconds"])
            if worker.entrant.kind == "attar":
                seconds = worker.ask(long[:128], DECODED, STREAMS)["seconds"] - STREAMS * decoded["first_seconds"]
                note(worker, "eight", STREAMS * (DECODED - 1) / seconds)
    return {worker.entrant.name: summary(worker.entrant, took[worker.entrant.name]) for worker in workers}


def summary(entrant: Entrant, took: Mapping[str, list[float]]) -> Found:
    """Medians of all rounds but the first."""
    decode, prefill, question = (statistics.median(took[name][1:]) for name in ("decode", "prefill", "question"))
    found = Found(entrant.size, entrant.exact_match, decode, prefill, question)
    if "eight" in took:
        found.eight_at_once = statistics.median(took["eight"][1:])
        found.eight_over_one = found.eight_at_once / decode
    return found


def measure_contexts(worker: Worker, prompt: Sequence[int], most: int) -> dict[int, dict[str, float]]:
    """Time per token and memory after prompts of some lengths."""
    found = {}
    for length in CONTEXTS:
        if length > most:
            continue
        ids = (list(prompt) * (length // len(prompt) + 1))[: length - AT_CONTEXT]
        took = worker.ask(ids, AT_CONTEXT)
        seconds = took["rest_seconds"] / (AT_CONTEXT - 1)
        found[length] = {"seconds_per_token": seconds, "resident": took["resident"], "peak": took["peak"]}
    return found


def settings(run: Path, threads: int, rounds: int, scored: int, prompt: Sequence[int], answer: int) -> dict[str, Any]:
    """What the figures depend on."""
    from attar.pipeline.versions import installed_versions, this_machine

    lines = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    return {
        "machine": {**this_machine(), "threads": threads, "python": platform.python_version()},
        "amx": "amx_int8" in lines,
        "avx512_vnni": "avx512_vnni" in lines,
        "versions": installed_versions(),
        "run": str(run),
        "rounds": rounds,
        "scored": scored,
        "decode": f"{DECODED} tokens after a prompt of 128",
        "prefill": f"a prompt of {PREFILLED}",
        "question": f"a prompt of {len(prompt)}, an answer of {answer}",
        "eight": f"{STREAMS} answers in threads of one process, on one session, their prompts' time taken off",
        "spinning": "onnxruntime's threads spin, here and in genai, each in a process of its own",
        "load": os.getloadavg()[0],
    }


@click.command()
@click.option("--run", type=click.Path(path_type=Path), default=Path("runs/quickstart"), show_default=True)
@click.option("--peers", type=click.Path(path_type=Path), default=Path(".peers"), show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=HERE / "results", show_default=True)
@click.option("--threads", default=2, show_default=True)
@click.option("--rounds", default=7, show_default=True)
@click.option("--scored", default=512, show_default=True, help="Held-out questions to score forms with; 0 is none.")
@click.option("--context", default=2048, show_default=True, help="Longest context to measure.")
@click.option("--only", multiple=True, help="Measure only what has this in its name; may be given again.")
def main(
    run: Path, peers: Path, out: Path, threads: int, rounds: int, scored: int, context: int, only: tuple[str, ...]
) -> None:
    """Measure, and write results."""
    prompt, answer = typical(run)
    known = settings(run, threads, rounds, scored, prompt, answer)
    click.echo(json.dumps(known, indent=2), err=True)
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        wanted = [
            entrant
            for entrant in entrants(run, Path(place), peers.absolute(), scored)
            if not only or any(part in entrant.name for part in only)
        ]
        workers = [stack.enter_context(Worker(entrant, threads)) for entrant in wanted]
        found = measure(workers, prompt, answer, rounds)
        for worker in workers:
            if worker.entrant.kind != "torch":
                found[worker.entrant.name].contexts = measure_contexts(worker, prompt, context)
    out.mkdir(exist_ok=True)
    results = {"settings": known, "found": {name: asdict(each) for name, each in found.items()}}
    (out / "graph.json").write_text(json.dumps(results, indent=2) + "\n")
    (out / "graph.md").write_text(table(results))
    (out / "graph.svg").write_text(plot(results))
    click.echo(table(results))


if __name__ == "__main__":
    main()
