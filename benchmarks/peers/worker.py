"""One model in a process of its own, in any environment: JSON lines in, JSON lines out.

    python worker.py KIND PATH THREADS

A request is a prompt's ids, how many tokens to decode, how many such answers at once, and whether tokens may be drafted
from the prompt; no token ends an answer. The reply says what the first token and the others took, or all of them for
several answers, and the memory. Only the standard library, and what the kind itself needs, so that a peer's environment
need not have attar.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

Answer = Callable[[list[int], int], Iterator[int]]
Together = Callable[[list[int], int, int], list[list[int]]]


def torch_model(path: str, threads: int) -> Answer:
    """Transformers, fp32."""
    import torch

    model = loaded_torch(path, threads)

    def answer(prompt: list[int], tokens: int) -> Iterator[int]:
        ids, cache = prompt, None
        for _ in range(tokens):
            with torch.inference_mode():
                output = model(input_ids=torch.tensor([ids]), past_key_values=cache, use_cache=True, logits_to_keep=1)
                cache, ids = output.past_key_values, [int(output.logits[0, -1].argmax())]
            yield ids[0]

    return answer


def torch_drafting(path: str, threads: int) -> Answer:
    """The same with the library's own prompt lookup; all tokens come at once."""
    import torch

    model = loaded_torch(path, threads)
    never = model.config.vocab_size  # prompt lookup needs a token that ends answers
    model.generation_config.eos_token_id = model.generation_config.pad_token_id = never

    def answer(prompt: list[int], tokens: int) -> Iterator[int]:
        ids = torch.tensor([prompt])
        settings = {"do_sample": False, "max_new_tokens": tokens, "prompt_lookup_num_tokens": 3}
        found = model.generate(ids, attention_mask=torch.ones_like(ids), **settings)
        yield from found[0, len(prompt) :][:tokens].tolist()  # it may make one more

    return answer


@cache
def loaded_torch(path: str, threads: int) -> Any:
    """The model in fp32."""
    import torch
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(threads)
    return AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()


def optimum_model(path: str, threads: int) -> Answer:
    """Optimum's ORTModelForCausalLM, fp32, as it drives its own graph."""
    import onnxruntime
    import torch
    from optimum.onnxruntime import ORTModelForCausalLM

    torch.set_num_threads(threads)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    model = ORTModelForCausalLM.from_pretrained(path, session_options=options, use_cache=True)

    def answer(prompt: list[int], tokens: int) -> Iterator[int]:
        ids, cache = prompt, None
        mask = list(prompt)
        for _ in range(tokens):
            output = model(
                input_ids=torch.tensor([ids]),
                attention_mask=torch.ones(1, len(mask), dtype=torch.int64),
                past_key_values=cache,
                use_cache=True,
            )
            cache, ids = output.past_key_values, [int(output.logits[0, -1].argmax())]
            mask += ids
            yield ids[0]

    return answer


def attar_model(path: str, threads: int) -> Answer:
    """attar's engine on a fast graph, with its shape beside it, one token a step."""
    engine = attar_engine(path, threads)

    def answer(prompt: list[int], tokens: int) -> Iterator[int]:
        return engine.generate(prompt, max_new_tokens=tokens, drafting=False)

    return answer


def attar_drafting(path: str, threads: int) -> Answer:
    """The same as it serves: guesses at the next tokens are read at once."""
    engine = attar_engine(path, threads)

    def answer(prompt: list[int], tokens: int) -> Iterator[int]:
        return engine.generate(prompt, max_new_tokens=tokens)

    return answer


def attar_together(path: str, threads: int) -> Together:
    """The same for several answers, decoded together."""
    from attar.runtime.engine import Request

    engine = attar_engine(path, threads)
    return lambda prompt, tokens, streams: engine.generate_many([Request(prompt, tokens)] * streams)


@cache
def attar_engine(path: str, threads: int) -> Any:
    """The engine on a graph that no bundle holds; nothing ends an answer."""
    from attar.runtime.bundle import Architecture, Bundle, Generation, Manifest
    from attar.runtime.engine import Engine

    shape = Architecture(**json.loads((Path(path) / "shape.json").read_text()))
    manifest = Manifest(files={}, architecture=shape, quantization="none", graph="fast")
    return Engine(Bundle(Path(path), manifest, Generation(stop_ids=())), threads=threads)


def genai_model(path: str, threads: int) -> Answer:
    """onnxruntime-genai on what its builder made; its config has to name the threads, or it takes half the speed."""
    import onnxruntime_genai

    place = Path(path) / "genai_config.json"
    config = json.loads(place.read_text())
    config["model"]["decoder"]["session_options"] |= {"intra_op_num_threads": threads, "inter_op_num_threads": 1}
    place.write_text(json.dumps(config))
    model, most = onnxruntime_genai.Model(path), config["model"]["context_length"]

    def answer(prompt: list[int], tokens: int) -> Iterator[int]:
        settings = onnxruntime_genai.GeneratorParams(model)
        length = len(prompt) + tokens
        settings.set_search_options(do_sample=False, max_length=min(length + 1, most), min_length=length)
        generator = onnxruntime_genai.Generator(model, settings)
        generator.append_tokens(prompt)
        for _ in range(tokens):
            generator.generate_next_token()
            yield int(generator.get_next_tokens()[0])

    return answer


def llama_model(path: str, threads: int) -> Answer:
    """llama.cpp on a GGUF file."""
    import numpy as np
    from llama_cpp import Llama

    model = Llama(path, n_ctx=0, n_threads=threads, n_threads_batch=threads, verbose=False, n_batch=512)

    def answer(prompt: list[int], tokens: int) -> Iterator[int]:
        model.reset()
        ids = prompt
        for _ in range(tokens):
            model.eval(ids)
            logits = model._ctx.get_logits_ith(-1)
            ids = [int(np.ctypeslib.as_array(logits, shape=(model.n_vocab(),)).argmax())]
            yield ids[0]

    return answer


KINDS: dict[str, Callable[[str, int], Answer]] = {
    "torch": torch_model,
    "optimum": optimum_model,
    "attar": attar_model,
    "genai": genai_model,
    "llama": llama_model,
}
DRAFTING: dict[str, Callable[[str, int], Answer]] = {"torch": torch_drafting, "attar": attar_drafting}
"""Kinds that can draft from the prompt."""
TOGETHER: dict[str, Callable[[str, int], Together]] = {"attar": attar_together}
"""Kinds that decode several answers in shared steps."""


def memory(name: str) -> int:
    """VmRSS or VmHWM of this process, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def timed(answer: Answer, prompt: list[int], tokens: int) -> dict[str, Any]:
    """One answer and what it took."""
    began = time.perf_counter()
    steps = answer(prompt, tokens)
    ids = [next(steps)]
    first = time.perf_counter()
    ids += steps
    ended = time.perf_counter()
    return {"ids": ids, "first_seconds": first - began, "rest_seconds": ended - first}


def together(answers: Together, prompt: list[int], tokens: int, streams: int) -> dict[str, Any]:
    """Several answers at once, and what all of them took."""
    began = time.perf_counter()
    found = answers(prompt, tokens, streams)
    return {"ids": found[0], "seconds": time.perf_counter() - began}


def main(kind: str, path: str, threads: str) -> None:
    """Load, then answer requests until the input ends."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints must not come between the replies
    answer = KINDS[kind](path, int(threads))
    print(json.dumps({"ready": kind}), file=replies, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        streams, drafting = request.pop("streams", 1), request.pop("drafting", False)
        if streams > 1:
            found = together(TOGETHER[kind](path, int(threads)), **request, streams=streams)
        elif drafting:
            found = timed(DRAFTING[kind](path, int(threads)), **request)
        else:
            found = timed(answer, **request)
        found |= {"resident": memory("VmRSS"), "peak": memory("VmHWM")}
        print(json.dumps(found), file=replies, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
