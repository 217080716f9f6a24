"""The fast graph beside torch, Optimum and its peers: one run, every model in a process of its own, in turn.

    python benchmarks/graph.py                                   # the quickstart's student, after `make quickstart`
    python benchmarks/graph.py --run runs/full --rounds 9        # another run
    benchmarks/peers/make.sh                                     # first, for onnxruntime-genai and llama.cpp

Results go to benchmarks/results/ as JSON, table and plot; ratios are of figures taken in the same rounds, with 95 %
intervals. Nothing else should use the machine. A peer whose environment is missing is left out, and the table says so.
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
from peers.worker import DRAFTING

HERE = Path(__file__).parent
WORKER = HERE / "peers" / "worker.py"
DECODED, PREFILLED, STREAMS, ASKED = 64, 512, 8, 8
CONTEXTS = (64, 512, 2048, 8192)
AT_CONTEXT = 16
CALIBRATED = 64


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
    """What was measured of an entrant.

    Attributes:
        size: Bytes of the files that are opened to answer.
        exact_match: Share of right answers to held-out questions, where it was scored.
        rounds: By figure, one of each round: "decode", "prefill" and "eight" in tokens a second; "question" and
            "drafted" in seconds.
        contexts: By tokens of context, one of each pass: "seconds_per_token"; "resident" and "peak" in bytes.
    """

    size: int
    exact_match: float | None
    rounds: dict[str, list[float]] = field(default_factory=dict)
    contexts: dict[int, dict[str, list[float]]] = field(default_factory=dict)


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

    def ask(self, prompt: Sequence[int], tokens: int, *, streams: int = 1, drafting: bool = False) -> dict[str, Any]:
        """One answer and what it took."""
        assert self._process.stdin is not None
        request = {"prompt": list(prompt), "tokens": tokens, "streams": streams, "drafting": drafting}
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
    from attar.pipeline.export.answer_gate import Trial, score_of
    from attar.pipeline.export.calibration import input_moments
    from attar.pipeline.export.exporting import stop_ids_of
    from attar.pipeline.export.fast import FORMS, build_fast
    from attar.pipeline.export.reference import architecture_of, export_reference
    from attar.pipeline.teacher import load_model

    teacher, student = run / "stages/teacher/model", student_of(run)
    loaded = load_model(str(student))
    loaded.model.eval()
    shape = architecture_of(loaded.model)
    prompts, expected = questions(run)
    trial = Trial(prompts[:scored], expected[:scored], loaded.tokenizer.decode, 32)
    moments = input_moments(loaded.model, texts(run))
    tokenizer = (student / "tokenizer.json").stat().st_size
    export_reference(loaded.model, scratch / "optimum")
    found = [
        Entrant("teacher, torch fp32", "torch", teacher, size=(teacher / "model.safetensors").stat().st_size),
        Entrant("Optimum ORTModelForCausalLM fp32", "optimum", scratch / "optimum", size=weigh(scratch / "optimum")),
    ]
    for form in FORMS:
        folder = scratch / form
        folder.mkdir()
        graph = build_fast(loaded.model, folder / "model.onnx", form, moments)
        (folder / "shape.json").write_text(json.dumps(asdict(shape)))
        score = score_of(graph, "fast", shape, trial, stop_ids_of(loaded), form)[0] if scored else None
        found.append(Entrant(f"attar {form}", "attar", folder, size=weigh(folder) + tokenizer, exact_match=score))
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


def student_of(run: Path) -> Path:
    """The weights that the run ships: finished ones where it has them."""
    finished = run / "stages/finish/model"
    return finished if finished.is_dir() else run / "stages/student/model"


def texts(run: Path) -> list[list[int]]:
    """Training samples that 4 bits are rounded by, as an export takes them."""
    from attar.pipeline.data.render import render
    from attar.pipeline.data.samples import read_samples
    from attar.pipeline.stages.scoring import spread
    from attar.runtime.text import ChatTokenizer

    chosen = spread(read_samples(run / "stages/data/train.parquet"), CALIBRATED)
    return [[*one.prompt, *one.answer] for one in render(chosen, ChatTokenizer.load(student_of(run)))]


def questions(run: Path) -> tuple[list[list[int]], list[str]]:
    """Prompts of the run's held-out samples, and the right answers."""
    from attar.pipeline.data.render import prompt_ids
    from attar.pipeline.data.samples import read_samples
    from attar.runtime.text import ChatTokenizer

    tokenizer = ChatTokenizer.load(student_of(run))
    test = read_samples(run / "stages/data/test.parquet")
    return [prompt_ids(sample, tokenizer) for sample in test], [sample.answer for sample in test]


@dataclass(frozen=True)
class Asked:
    """Held-out questions of about median length, whose answers have the median length.

    Attributes:
        prompts: The one of median length first.
        answer_tokens: Of each answer, its end included.
    """

    prompts: list[list[int]]
    answer_tokens: int


def typical(run: Path) -> Asked:
    """Of the run's held-out samples."""
    from attar.runtime.text import ChatTokenizer

    prompts, answers = questions(run)
    tokenizer = ChatTokenizer.load(student_of(run))
    lengths = [len(tokenizer.encode(answer)) + 1 for answer in answers]
    middle, length = statistics.median_low(map(len, prompts)), statistics.median_low(lengths)
    fitting = [prompt for prompt, tokens in zip(prompts, lengths, strict=True) if tokens == length]
    return Asked(sorted(fitting, key=lambda prompt: abs(len(prompt) - middle))[:ASKED], length)


def weigh(folder: Path) -> int:
    """Bytes of the files in a folder that are opened to answer."""
    return sum(path.stat().st_size for path in folder.iterdir() if path.suffix in {".onnx", ".data", ".onnx_data"})


def measure(workers: Sequence[Worker], asked: Asked, rounds: int) -> dict[str, Found]:
    """All entrants in turn, round by round, the other way round every second time; the first round warms up."""
    found = {each.entrant.name: Found(each.entrant.size, each.entrant.exact_match) for each in workers}
    long = repeated(asked.prompts[0], PREFILLED)
    for turn in range(rounds + 1):
        click.echo(f"round {turn} of {rounds}", err=True)
        for worker in workers if turn % 2 else reversed(workers):
            for figure, value in figures(worker, long, asked).items():
                if turn:
                    found[worker.entrant.name].rounds.setdefault(figure, []).append(value)
    return found


def figures(worker: Worker, long: Sequence[int], asked: Asked) -> dict[str, float]:
    """One of each figure."""
    found = {
        "decode": (DECODED - 1) / worker.ask(long[:128], DECODED)["rest_seconds"],
        "prefill": PREFILLED / worker.ask(long, 1)["first_seconds"],
        "question": seconds(worker, asked, drafting=False),
    }
    if worker.entrant.kind in DRAFTING:
        found["drafted"] = seconds(worker, asked, drafting=True)
    if worker.entrant.kind == "attar":
        prompts, whole = (worker.ask(long[:128], tokens, streams=STREAMS)["seconds"] for tokens in (1, DECODED))
        found["eight"] = STREAMS * (DECODED - 1) / (whole - prompts)
    return found


def seconds(worker: Worker, asked: Asked, *, drafting: bool) -> float:
    """From question to answer, on average over the questions."""
    took = [worker.ask(prompt, asked.answer_tokens, drafting=drafting) for prompt in asked.prompts]
    return statistics.mean(each["first_seconds"] + each["rest_seconds"] for each in took)


def repeated(prompt: Sequence[int], length: int) -> list[int]:
    """So many ids, the prompt over and over."""
    return (list(prompt) * (length // len(prompt) + 1))[:length]


def measure_contexts(
    entrants: Sequence[Entrant], found: Mapping[str, Found], prompt: Sequence[int], most: int, threads: int, passes: int
) -> None:
    """Time per token, and memory, at some lengths of context: each entrant in a new process for each pass."""
    lengths = [length for length in CONTEXTS if length <= most]
    for turn in range(passes):
        for entrant in entrants if turn % 2 else reversed(entrants):
            click.echo(f"contexts of {entrant.name}, pass {turn + 1} of {passes}", err=True)
            with Worker(entrant, threads) as worker:
                for length in lengths:
                    took = worker.ask(repeated(prompt, length - AT_CONTEXT), AT_CONTEXT)
                    known = found[entrant.name].contexts.setdefault(length, {})
                    took["seconds_per_token"] = took["rest_seconds"] / (AT_CONTEXT - 1)
                    for figure in ("seconds_per_token", "resident", "peak"):
                        known.setdefault(figure, []).append(took[figure])


def settings(run: Path, threads: int, rounds: int, passes: int, scored: int, asked: Asked) -> dict[str, Any]:
    """What the figures depend on."""
    from attar.pipeline.versions import installed_versions, this_machine

    lines = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    lengths = [len(prompt) for prompt in asked.prompts]
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
        "question": f"{len(asked.prompts)} held-out questions: prompts of {min(lengths)} to {max(lengths)} tokens, "
        f"answers of {asked.answer_tokens}; the mean",
        "drafted": "the same with tokens drafted from the prompt: by attar as it serves, by transformers as it can",
        "eight": f"{STREAMS} answers of {DECODED} tokens by Engine.generate_many, less what their first tokens take",
        "context": f"{AT_CONTEXT} tokens decoded up to there, in a new process for each pass; medians of {passes}",
        "spinning": "each as it comes: attar's threads spin for 50 microseconds, those of genai and llama.cpp longer",
        "load": os.getloadavg()[0],
    }


@click.command()
@click.option("--run", type=click.Path(path_type=Path), default=Path("runs/quickstart"), show_default=True)
@click.option("--peers", type=click.Path(path_type=Path), default=Path(".peers"), show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=HERE / "results", show_default=True)
@click.option("--threads", default=2, show_default=True)
@click.option("--rounds", default=7, show_default=True)
@click.option("--scored", default=512, show_default=True, help="Held-out questions to score forms with; 0 is none.")
@click.option("--passes", default=3, show_default=True, help="Passes over the contexts; 0 leaves them out.")
@click.option("--context", default=CONTEXTS[-1], show_default=True, help="Longest context to measure.")
@click.option("--only", multiple=True, help="Measure only what has this in its name; may be given again.")
def main(
    run: Path,
    peers: Path,
    out: Path,
    threads: int,
    rounds: int,
    scored: int,
    passes: int,
    context: int,
    only: tuple[str, ...],
) -> None:
    """Measure, and write results."""
    asked = typical(run)
    known = settings(run, threads, rounds, passes, scored, asked)
    click.echo(json.dumps(known, indent=2), err=True)
    with tempfile.TemporaryDirectory() as place:
        wanted = [
            entrant
            for entrant in entrants(run, Path(place), peers.absolute(), scored)
            if not only or any(part in entrant.name for part in only)
        ]
        with ExitStack() as stack:
            workers = [stack.enter_context(Worker(entrant, threads)) for entrant in wanted]
            found = measure(workers, asked, rounds)
        write(out, known, found)  # so that these figures are there whatever long contexts come to
        reading = [entrant for entrant in wanted if entrant.kind != "torch"]
        measure_contexts(reading, found, asked.prompts[0], min(context, longest(run)), threads, passes)
    click.echo(write(out, known, found))


def write(out: Path, known: Mapping[str, Any], found: Mapping[str, Found]) -> str:
    """Results as JSON and table, and as a plot where contexts were measured, named by the run; returns the table."""
    out.mkdir(exist_ok=True)
    results = {"settings": known, "found": {name: asdict(each) for name, each in found.items()}}
    name = f"graph-{Path(known['run']).name}"
    (out / f"{name}.json").write_text(json.dumps(results, indent=2) + "\n")
    (out / f"{name}.md").write_text(table(results))
    if any(each.contexts for each in found.values()):
        (out / f"{name}.svg").write_text(plot(results))
    return table(results)


def longest(run: Path) -> int:
    """The student's context."""
    config: dict[str, int] = json.loads((student_of(run) / "config.json").read_text())
    return config.get("max_position_embeddings") or config["n_positions"]


if __name__ == "__main__":
    main()
