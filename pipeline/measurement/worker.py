"""One variant in a fresh process: load, answer, and say what it took, as JSON on standard output.

    python -m attar.pipeline.measurement.worker torch MODEL_FOLDER PROMPT.json TOKENS THREADS
    python -m attar.pipeline.measurement.worker bundle BUNDLE PROMPT.json TOKENS THREADS

Peak memory is the kernel's VmHWM, which belongs to this address space: ru_maxrss survives exec and would
carry the parent's peak. Imports nothing of the other variant.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

__all__ = ["main"]

Generate = Callable[[list[int], int], Iterator[int]]


def main(variant: str, path: str, prompt_file: str, tokens: str, threads: str) -> None:
    """Measure one variant and print the result."""
    started = time.perf_counter()
    generate = {"torch": _torch, "bundle": _bundle}[variant](path, int(threads))
    loaded = time.perf_counter() - started
    prompt: list[int] = json.loads(Path(prompt_file).read_text(encoding="utf-8"))
    list(generate(prompt, 4))  # the first call allocates
    began = time.perf_counter()
    answer = generate(prompt, int(tokens))
    next(answer)
    first = time.perf_counter()
    rest = sum(1 for _ in answer)
    ended = time.perf_counter()
    print(
        json.dumps(
            {
                "load_seconds": loaded,
                "first_token_seconds": first - began,
                "decode_tokens_per_second": rest / (ended - first),
                "peak_memory_bytes": _peak_memory(),
                "decoded": rest + 1,
            }
        )
    )


def _torch(path: str, threads: int) -> Generate:
    import torch
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(threads)
    model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()

    @torch.inference_mode()
    def generate(prompt: list[int], count: int) -> Iterator[int]:
        ids, cache = torch.tensor([prompt]), None
        for _ in range(count):
            output = model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
            cache = output.past_key_values
            token = int(output.logits[0, -1].argmax())
            yield token
            ids = torch.tensor([[token]])

    return generate


def _bundle(path: str, threads: int) -> Generate:
    from attar.runtime import AgenticWorkflow, ChatOnnx
    from attar.runtime.engine import Engine

    # The whole path that an application takes, LangGraph and all, so that its memory counts.
    model = ChatOnnx(bundle=path, threads=threads)
    AgenticWorkflow(model).run(query="What is known?")
    engine: Engine = model.loaded.engine

    def generate(prompt: list[int], count: int) -> Iterator[int]:
        return engine.generate(prompt, max_new_tokens=count, stop_ids=())

    return generate


def _peak_memory() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


if __name__ == "__main__":
    main(*sys.argv[1:])
