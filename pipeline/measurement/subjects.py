"""What a worker can measure: one class for each kind of variant, each with only its own imports.

A kind of one's own is named ``module:name`` and need not be listed here. Does not know what is measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

__all__ = ["SUBJECTS", "Subject", "load_subject"]

SUBJECTS = {"torch": f"{__name__}:TorchSubject", "bundle": f"{__name__}:BundleSubject"}


class Subject(Protocol):
    """A loaded variant.

    Attributes:
        threads: What the library says it computes with.
        size_bytes: Of its weights as they are used, or of its files.
    """

    threads: int
    size_bytes: int

    def answer(self, prompt: Sequence[int], tokens: int, given: Sequence[int] | None) -> Iterator[int]:
        """The model's greedy choice, ``tokens`` times, whatever it is; no token ends an answer.

        Args:
            prompt: Ids of the prompt.
            tokens: How many.
            given: What to read on with (teacher forcing); its own choices where there is nothing given.
        """


def load_subject(kind: str, path: str, threads: int, use: str | None = None) -> Subject:
    """Import and load a variant; only a bundle knows uses."""
    module, _, name = SUBJECTS.get(kind, kind).partition(":")
    options = {} if use is None else {"use": use}
    subject: Subject = getattr(import_module(module), name)(path, threads, **options)
    return subject


class TorchSubject:
    """A model folder or GGUF file in fp32, as transformers loads it."""

    def __init__(self, path: str, threads: int) -> None:
        import torch
        from transformers import AutoModelForCausalLM

        torch.set_num_threads(threads)
        source, options = (
            (str(Path(path).parent), {"gguf_file": Path(path).name}) if path.endswith(".gguf") else (path, {})
        )
        self._model: Any = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32, **options).eval()
        self.threads = torch.get_num_threads()
        self.size_bytes = sum(weights.numel() * weights.element_size() for weights in self._model.parameters())

    def answer(self, prompt: Sequence[int], tokens: int, given: Sequence[int] | None) -> Iterator[int]:
        import torch

        ids, cache = list(prompt), None
        for step in range(tokens):
            with torch.inference_mode():
                output = self._model(
                    input_ids=torch.tensor([ids]), past_key_values=cache, use_cache=True, logits_to_keep=1
                )
                cache, token = output.past_key_values, int(output.logits[0, -1].argmax())
            yield token
            ids = [given[step] if given else token]


class BundleSubject:
    """A bundle behind the whole path that an application takes, LangGraph and all, so that its memory counts."""

    def __init__(self, path: str, threads: int, use: str | None = None) -> None:
        from attar.runtime import AgenticWorkflow, ChatOnnx

        model = ChatOnnx(bundle=path, threads=threads, use=use)
        AgenticWorkflow(model).run(query="What is known?")
        self._engine = model.loaded.engine
        self.threads = self._engine.threads
        self.size_bytes = self._engine.bundle.size

    def answer(self, prompt: Sequence[int], tokens: int, given: Sequence[int] | None) -> Iterator[int]:
        if not given:
            yield from self._engine.generate(prompt, max_new_tokens=tokens, stop_ids=(), drafting=False)
            return
        session, ids = self._engine.session, list(prompt)
        cache = session.empty_cache()
        for step in range(tokens):
            logits, cache = session.forward(ids, cache)
            yield int(logits[-1].argmax())
            ids = [given[step]]
