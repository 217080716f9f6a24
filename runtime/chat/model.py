"""``ChatOnnx``: a bundle as a LangChain chat model.

The bundle is opened, checked and loaded at the first call, not at construction; models on one bundle
with the same threads share one engine. Does not know agents or records.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LangSmithParams
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import Field, PrivateAttr

from ..bundle import Bundle
from ..engine import Engine, SamplingSettings
from ..text import ChatTokenizer
from .messages import to_turns
from .stopping import StopStrings

__all__ = ["ChatOnnx"]


class ChatOnnx(BaseChatModel):
    r"""A distilled student as a chat model.

    Example:
        >>> model = ChatOnnx(bundle="runs/quickstart/bundle")
        >>> model.invoke("Country: Denmark\ncapital: Copenhagen\n\nWhat is the capital of Denmark?").content
        'Copenhagen'
    """

    bundle: str | os.PathLike[str]
    """The bundle's folder."""
    max_tokens: int | None = Field(default=None, ge=1)
    """Limit of an answer; by default the bundle's."""
    temperature: float | None = Field(default=None, ge=0)
    """0 is greedy; by default the bundle's."""
    top_k: int = Field(default=0, ge=0)
    """Only the k most likely tokens; 0 is all."""
    top_p: float = Field(default=1.0, gt=0, le=1)
    """Only the smallest set of tokens whose probability reaches p."""
    seed: int | None = None
    """The same seed gives the same answer."""
    stop: list[str] | None = None
    """Strings that end an answer."""
    threads: int | None = Field(default=None, ge=1)
    """Threads of one call; by default what affinity and cgroup allow."""

    _loaded: _Loaded | None = PrivateAttr(default=None)

    @property
    def _llm_type(self) -> str:
        return "attar-onnx"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"bundle": str(self.bundle), "temperature": self.temperature, "max_tokens": self.max_tokens}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        return LangSmithParams(
            **{
                **super()._get_ls_params(stop=stop, **kwargs),
                "ls_provider": "attar",
                "ls_model_name": self._name,
            }
        )

    @property
    def _name(self) -> str:
        return Path(self.bundle).name

    @property
    def loaded(self) -> _Loaded:
        """The checked bundle with its engine and tokenizer, loaded on first use.

        Raises:
            BundleError: See :meth:`attar.runtime.Bundle.open`.
        """
        if self._loaded is None:
            self._loaded = _load(Path(self.bundle).resolve(), self.threads)
        return self._loaded

    def get_token_ids(self, text: str) -> list[int]:
        """Ids of plain text."""
        return self.loaded.tokenizer.encode(text)

    def get_num_tokens_from_messages(self, messages: list[BaseMessage], tools: Sequence[Any] | None = None) -> int:
        """Tokens of the prompt that these messages become, the template's own included."""
        return len(self.loaded.tokenizer.encode_chat(to_turns(messages)))

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        chunks = [chunk.message for chunk in self._chunks(messages, stop, kwargs)]
        last = chunks[-1]
        message = AIMessage(
            content="".join(str(chunk.content) for chunk in chunks),
            usage_metadata=last.usage_metadata if isinstance(last, AIMessageChunk) else None,
            response_metadata=last.response_metadata,
        )
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        for chunk in self._chunks(messages, stop, kwargs):
            if run_manager and chunk.text:
                run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk

    def _chunks(
        self, messages: list[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any]
    ) -> Iterator[ChatGenerationChunk]:
        """Text as it comes, then one last chunk with what it cost and why it ended."""
        loaded = self.loaded
        prompt = loaded.tokenizer.encode_chat(to_turns(messages))
        stops = StopStrings(stop if stop is not None else self.stop or [])
        limit = kwargs.get("max_tokens", self.max_tokens)
        limit = loaded.bundle.generation.max_new_tokens if limit is None else limit
        limit = min(limit, loaded.bundle.manifest.architecture.context_length - len(prompt))
        generated = loaded.engine.generate(prompt, max_new_tokens=limit, sampling=self._sampling(loaded, kwargs))
        count = 0
        for _, text in loaded.tokenizer.decode_stream(generated):
            count += 1
            if shown := stops.feed(text):
                yield ChatGenerationChunk(message=AIMessageChunk(content=shown))
            if stops.reached:
                break
        if rest := stops.flush():
            yield ChatGenerationChunk(message=AIMessageChunk(content=rest))
        reason = "length" if count >= limit and not stops.reached else "stop"
        yield ChatGenerationChunk(message=self._last(len(prompt), count, reason))

    def _last(self, prompt_tokens: int, answer_tokens: int, reason: str) -> AIMessageChunk:
        return AIMessageChunk(
            content="",
            usage_metadata=UsageMetadata(
                input_tokens=prompt_tokens,
                output_tokens=answer_tokens,
                total_tokens=prompt_tokens + answer_tokens,
            ),
            response_metadata={"model_name": self._name, "finish_reason": reason},
            chunk_position="last",
        )

    def _sampling(self, loaded: _Loaded, kwargs: dict[str, Any]) -> SamplingSettings:
        chosen = {name: kwargs.get(name, getattr(self, name)) for name in ("temperature", "top_k", "top_p", "seed")}
        if chosen["temperature"] is None:
            chosen["temperature"] = loaded.bundle.generation.temperature
        return SamplingSettings(**chosen)


class _Loaded:
    """A checked bundle with its engine and tokenizer."""

    def __init__(self, path: Path, threads: int | None) -> None:
        self.bundle = Bundle.open(path)
        self.tokenizer = ChatTokenizer.load(path)
        self.engine = Engine(self.bundle, threads=threads)


_LOADING = threading.Lock()
_ENGINES: dict[tuple[Path, int, int | None], _Loaded] = {}


def _load(path: Path, threads: int | None) -> _Loaded:
    """One engine for each state of a bundle: a bundle that was replaced is loaded anew."""
    manifest = path / "attar.json"
    stamp = manifest.stat().st_mtime_ns if manifest.is_file() else 0
    with _LOADING:
        key = (path, stamp, threads)
        if key not in _ENGINES:
            for old in [known for known in _ENGINES if known[0] == path and known[1] != stamp]:
                del _ENGINES[old]
            _ENGINES[key] = _Loaded(path, threads)
        return _ENGINES[key]
