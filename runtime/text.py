"""Text to tokens and back: the tokenizer and the one chat template.

Training and serving both go through :class:`ChatTokenizer`, so that they can't differ. What a user, a tool
or a table cell says stays text: only the template can produce a special token.
Does not know models, engines or LangChain.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import TemplateError
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import Tokenizer
from tokenizers.decoders import DecodeStream

from .errors import ArtifactError
from .prompts import Message

__all__ = [
    "CHATML",
    "END_OF_TURN",
    "START_OF_TURN",
    "TEMPLATE_FILE",
    "TOKENIZER_FILE",
    "ChatTokenizer",
    "read_tokenizer",
]

TOKENIZER_FILE = "tokenizer.json"
TEMPLATE_FILE = "chat_template.jinja"
START_OF_TURN = "<|im_start|>"
END_OF_TURN = "<|im_end|>"

CHATML = (
    "{% if tools %}"
    "{{ '<|im_start|>system\n' }}"
    "{% if messages and messages[0]['role'] == 'system' %}{{ messages[0]['content'] + '\n\n' }}{% endif %}"
    "{{ 'You can call these tools:\n<tools>\n' + (tools | tojson) + '\n</tools>\n' }}"
    "{{ 'A call is a JSON object in tags:\n<tool_call>\n"
    '{"name": tool, "arguments": {name: value}}'
    "\n</tool_call><|im_end|>\n' }}"
    "{% endif %}"
    "{% for message in messages %}"
    "{% if not (tools and loop.first and message['role'] == 'system') %}"
    "{{ '<|im_start|>' + message['role'] + '\n' }}"
    "{% if message['role'] == 'tool' %}"
    "{{ '<tool_response>\n' + message['content'] + '\n</tool_response>' }}"
    "{% else %}"
    "{{ message['content'] or '' }}"
    "{% for call in message['tool_calls'] or [] %}"
    "{{ '\n' if message['content'] or not loop.first else '' }}"
    "{{ '<tool_call>\n' }}"
    "{{ {'name': call['function']['name'], 'arguments': call['function']['arguments']} | tojson }}"
    "{{ '\n</tool_call>' }}"
    "{% endfor %}"
    "{% endif %}"
    "{{ '<|im_end|>' + '\n' }}"
    "{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
"""ChatML without a default system text; tools, their calls and their answers as Hermes has them.

The tools are a JSON list at the end of the system turn, a call is a JSON object in ``<tool_call>``, and what a
tool answers is a turn of its own.
"""

_MARK = "\ue000"
"""A private character; a run of it, longer than any in the text, marks a special token that was spelled out."""


class ChatTokenizer:
    """A fast tokenizer with a chat template.

    Args:
        tokenizer: A ``tokenizers.Tokenizer``.
        template: A jinja2 chat template in the form that transformers uses.
    """

    def __init__(self, tokenizer: Tokenizer, template: str = CHATML) -> None:
        self._tokenizer = tokenizer
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._tokenizer.encode_special_tokens = True  # "special tokens are text": only we place them
        self.template = template
        self._render = _compile(template)
        added = tokenizer.get_added_tokens_decoder()
        self.special_ids = {token.content: index for index, token in added.items() if token.special}
        self._spelling = {index: content for content, index in self.special_ids.items()}
        spelled = sorted(self.special_ids, key=len, reverse=True)
        self._specials = re.compile("|".join(map(re.escape, spelled)) if spelled else r"(?!)")

    @classmethod
    def load(cls, folder: Path) -> ChatTokenizer:
        """Read ``tokenizer.json`` and ``chat_template.jinja`` (ChatML where there is none).

        Raises:
            ArtifactError: The folder has no readable tokenizer or template.
        """
        tokenizer = read_tokenizer(folder)
        template = folder / TEMPLATE_FILE
        return cls(tokenizer, template.read_text(encoding="utf-8") if template.is_file() else CHATML)

    @property
    def vocabulary_size(self) -> int:
        """Number of token ids, added tokens included."""
        return int(self._tokenizer.get_vocab_size(with_added_tokens=True))

    @property
    def end_id(self) -> int | None:
        """Id of the token that ends a turn, where the vocabulary has one."""
        return self.special_ids.get(END_OF_TURN)

    def to_json(self) -> str:
        """The tokenizer's own JSON, as ``tokenizer.json`` holds it."""
        return str(self._tokenizer.to_str())

    def encode(self, text: str) -> list[int]:
        """Ids of plain text; special tokens spelled out in it stay text."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def encode_chat(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[Mapping[str, Any]] | None = None,
        add_generation_prompt: bool = True,
    ) -> list[int]:
        """Ids of a chat as the template writes it.

        Token for token what ``transformers`` gives for the same template, except where a message or a tool
        spells out a special token: there it stays text.

        Args:
            messages: The turns.
            tools: What can be called, each as ``{"type": "function", "function": {"name", "description",
                "parameters"}}``; a template that knows no tools leaves them out.
            add_generation_prompt: Whether the assistant's turn is begun.
        """
        texts = list(_texts([messages, tools]))
        if not any(map(self._specials.search, texts)):
            return self._encode_rendered(self._render(messages, tools, add_generation_prompt))
        mark = _MARK * (1 + max(map(len, re.findall(f"{_MARK}+", "".join(texts))), default=0))
        mask = partial(self._specials.sub, lambda match: f"{mark}{self.special_ids[match[0]]}{mark}")
        rendered = self._render(_mapped(messages, mask), _mapped(tools, mask), add_generation_prompt)
        return self._encode_rendered(rendered, mark)

    def decode(self, ids: Sequence[int]) -> str:
        """Text of ids, without special tokens."""
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=True))

    def decode_stream(self, ids: Iterable[int]) -> Iterator[tuple[int, str]]:
        """Each id with the text that it completes; half a character waits for its other half."""
        stream = DecodeStream(skip_special_tokens=True)
        for index in ids:
            yield index, stream.step(self._tokenizer, index) or ""

    def _encode_rendered(self, rendered: str, mark: str = "") -> list[int]:
        """Ids of a rendered chat: its special tokens are the template's, the rest is text.

        Where there is a ``mark``, a number between two of them stands for a special token that is text.
        """
        marked = re.compile(f"{mark}(\\d+){mark}") if mark else None
        ids: list[int] = []
        position = 0
        for match in [*self._specials.finditer(rendered), None]:
            text = rendered[position : match.start() if match else len(rendered)]
            if marked:
                text = marked.sub(lambda number: self._spelling[int(number[1])], text)
            if text:
                ids += self.encode(text)
            if match:
                ids.append(self.special_ids[match[0]])
                position = match.end()
        return ids


def read_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer in a folder's ``tokenizer.json``.

    Raises:
        ArtifactError: It is not there, or can't be read.
    """
    path = folder / TOKENIZER_FILE
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises bare Exception
        raise ArtifactError(
            "The tokenizer can't be read.",
            where=path,
            why=error,
            next_step="Export the model again, or copy its tokenizer.json into the folder.",
        ) from error


def _compile(template: str) -> Callable[[Sequence[object], Sequence[object] | None, bool], str]:
    """A template from a stranger is code: it runs in jinja2's sandbox and may change nothing."""

    def raise_exception(message: str) -> None:
        raise TemplateError(message)

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.globals["raise_exception"] = raise_exception
    environment.filters["tojson"] = _to_json
    try:
        compiled = environment.from_string(template)
    except TemplateError as error:
        raise _template_error(error) from error

    def render(messages: Sequence[object], tools: Sequence[object] | None, add_generation_prompt: bool) -> str:
        known = list(tools) if tools else None
        try:
            return compiled.render(messages=list(messages), tools=known, add_generation_prompt=add_generation_prompt)
        except (TemplateError, SecurityError) as error:
            raise _template_error(error) from error

    return render


def _to_json(
    value: object,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: Any = None,
    sort_keys: bool = False,
) -> str:
    """What ``tojson`` is in transformers' templates; jinja2's own is for HTML."""
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _texts(value: object) -> Iterator[str]:
    """Every text in a value of dicts and lists, the names of keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(key)
            yield from _texts(item)
    elif isinstance(value, Sequence):
        for item in value:
            yield from _texts(item)


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    """The same value with every text of it changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {_mapped(key, change): _mapped(item, change) for key, item in value.items()}
    return [_mapped(item, change) for item in value] if isinstance(value, Sequence) else value


def _template_error(error: Exception) -> ArtifactError:
    return ArtifactError(
        "The chat template can't be rendered.",
        where=TEMPLATE_FILE,
        why=error,
        next_step="Check the roles and the order of the messages against the template.",
    )
