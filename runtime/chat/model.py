"""``ChatOnnx``: a bundle as a LangChain chat model.

The bundle is opened, checked and loaded at the first call, not at construction; models on one bundle
with the same threads and use share one engine. Does not know agents or records.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LangSmithParams, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import get_config_list
from pydantic import Field, PrivateAttr

from ..bundle import Bundle
from ..engine import Engine, Request, SamplingSettings
from ..sharing import Shared
from ..text import ChatTokenizer
from .answering import Question, Together, pieces
from .messages import to_turns

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
    use: str | None = None
    """What a bundle of several forms is wanted for, such as "throughput"; by default its first form is loaded."""

    _loaded: _Loaded | None = PrivateAttr(default=None)
    _share: tuple[Together, int] | None = PrivateAttr(default=None)

    @property
    def _llm_type(self) -> str:
        return "attar-onnx"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        chosen = {"temperature": self.temperature, "max_tokens": self.max_tokens, "use": self.use}
        return {"bundle": str(self.bundle), **chosen}

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
            UsageError: The bundle has no form for the use.
        """
        if self._loaded is None:
            self._loaded = _LOADED.get(Path(self.bundle), self.threads, self.use)
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

    def batch(
        self,
        inputs: list[LanguageModelInput],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[AIMessage]:
        """Answer several inputs, which are decoded together; ``max_concurrency`` limits how many.

        Each is a run of its own to callbacks and caches. The first run does the work of all, so its time is theirs.
        """
        answers: list[Any] = []
        for model, each, settings in self._together(inputs, config, kwargs):
            try:
                answers.append(model.invoke(each, settings, **kwargs))
            except Exception as error:
                if not return_exceptions:
                    raise
                answers.append(error)
        return answers

    async def abatch(
        self,
        inputs: list[LanguageModelInput],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[AIMessage]:
        """See :meth:`batch`; the event loop is free meanwhile."""
        answers: list[Any] = []
        for model, each, settings in self._together(inputs, config, kwargs):
            try:
                answers.append(await model.ainvoke(each, settings, **kwargs))
            except Exception as error:
                if not return_exceptions:
                    raise
                answers.append(error)
        return answers

    def _together(
        self, inputs: Sequence[LanguageModelInput], config: Any, kwargs: dict[str, Any]
    ) -> Iterator[tuple[ChatOnnx, LanguageModelInput, RunnableConfig]]:
        """For each input a model that has its answer from decoding all of them, and the settings of its run."""
        if not inputs:
            return
        settings = get_config_list(config, len(inputs))
        stop = kwargs.get("stop")

        def asking(each: LanguageModelInput) -> Callable[[], Question]:
            return lambda: self._question(self._convert_input(each).to_messages(), stop, kwargs)

        most = settings[0].get("max_concurrency") or len(inputs)
        together = Together([asking(each) for each in inputs], most)
        for place, each in enumerate(inputs):
            model = self.model_copy()
            model._share = together, place
            yield model, each, settings[place]

    def _chunks(
        self, messages: list[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any]
    ) -> Iterator[ChatGenerationChunk]:
        loaded = self.loaded
        if self._share:
            together, place = self._share
            if (known := together.answer(place, loaded.engine, loaded.tokenizer)) is not None:
                yield from known
                return
        question = self._question(messages, stop, kwargs)
        asked = question.request
        tokens = loaded.engine.generate(asked.prompt, max_new_tokens=question.limit, sampling=asked.sampling)
        yield from pieces(question, tokens, loaded.tokenizer)

    def _question(self, messages: list[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any]) -> Question:
        loaded = self.loaded
        prompt = loaded.tokenizer.encode_chat(to_turns(messages))
        limit = kwargs.get("max_tokens", self.max_tokens)
        limit = loaded.bundle.generation.max_new_tokens if limit is None else limit
        limit = min(limit, loaded.bundle.manifest.architecture.context_length - len(prompt))
        request = Request(prompt, limit, self._sampling(loaded, kwargs))
        return Question(request, limit, stop if stop is not None else self.stop or [], self._name)

    def _sampling(self, loaded: _Loaded, kwargs: dict[str, Any]) -> SamplingSettings:
        chosen = {name: kwargs.get(name, getattr(self, name)) for name in ("temperature", "top_k", "top_p", "seed")}
        if chosen["temperature"] is None:
            chosen["temperature"] = loaded.bundle.generation.temperature
        return SamplingSettings(**chosen)


class _Loaded:
    """A checked bundle with its engine and tokenizer."""

    def __init__(self, path: Path, threads: int | None, use: str | None) -> None:
        self.bundle = Bundle.open(path, use=use)
        self.tokenizer = ChatTokenizer.load(path)
        self.engine = Engine(self.bundle, threads=threads)


_LOADED = Shared(_Loaded)
