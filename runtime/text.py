"""Text to tokens and back: the tokenizer and the one chat template.

Training and serving both go through :class:`ChatTokenizer`, so that they can't differ. What a user
or a table cell says stays text: only the template can produce a special token.
Does not know models, engines or LangChain.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from jinja2 import TemplateError
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import Tokenizer
from tokenizers.decoders import DecodeStream

from .errors import ArtifactError
from .prompts import Message

__all__ = ["CHATML", "END_OF_TURN", "START_OF_TURN", "TEMPLATE_FILE", "TOKENIZER_FILE", "ChatTokenizer"]

TOKENIZER_FILE = "tokenizer.json"
TEMPLATE_FILE = "chat_template.jinja"
START_OF_TURN = "<|im_start|>"
END_OF_TURN = "<|im_end|>"

CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
"""ChatML without a default system text."""

_PLACEHOLDER = "\ue000{}\ue001"
_PLACEHOLDER_PATTERN = re.compile("\ue000(\\d+)\ue001")


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
        spelled = sorted(self.special_ids, key=len, reverse=True)
        self._specials = re.compile("|".join(map(re.escape, spelled)) if spelled else r"(?!)")

    @classmethod
    def load(cls, folder: Path) -> ChatTokenizer:
        """Read ``tokenizer.json`` and ``chat_template.jinja`` (ChatML where there is none).

        Raises:
            ArtifactError: The folder has no readable tokenizer or template.
        """
        path = folder / TOKENIZER_FILE
        try:
            tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # tokenizers raises bare Exception
            raise ArtifactError(
                "The tokenizer can't be read.",
                where=path,
                why=error,
                next_step="Export the model again, or copy its tokenizer.json into the folder.",
            ) from error
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

    def encode_chat(self, messages: Sequence[Message], *, add_generation_prompt: bool = True) -> list[int]:
        """Ids of a chat as the template writes it.

        Token for token what ``transformers`` gives for the same template, except where a message
        spells out a special token: there the message stays text.
        """
        contents = [message["content"] for message in messages]
        if not any(self._specials.search(content) for content in contents):
            return self._encode_rendered(self._render(messages, add_generation_prompt), ())
        masked = [{**message, "content": _PLACEHOLDER.format(n)} for n, message in enumerate(messages)]
        return self._encode_rendered(self._render(masked, add_generation_prompt), contents)

    def decode(self, ids: Sequence[int]) -> str:
        """Text of ids, without special tokens."""
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=True))

    def decode_stream(self, ids: Iterable[int]) -> Iterator[tuple[int, str]]:
        """Each id with the text that it completes; half a character waits for its other half."""
        stream = DecodeStream(skip_special_tokens=True)
        for index in ids:
            yield index, stream.step(self._tokenizer, index) or ""

    def _encode_rendered(self, rendered: str, contents: Sequence[str]) -> list[int]:
        """Ids of a rendered chat: its special tokens are the template's, the rest is text.

        Where ``contents`` is given, placeholders in ``rendered`` stand for them.
        """
        ids: list[int] = []
        position = 0
        for match in [*self._specials.finditer(rendered), None]:
            text = rendered[position : match.start() if match else len(rendered)]
            if contents:
                text = _PLACEHOLDER_PATTERN.sub(lambda placeholder: contents[int(placeholder[1])], text)
            if text:
                ids += self.encode(text)
            if match:
                ids.append(self.special_ids[match[0]])
                position = match.end()
        return ids


def _compile(template: str) -> Callable[[Sequence[object], bool], str]:
    """A template from a stranger is code: it runs in jinja2's sandbox and may change nothing."""

    def raise_exception(message: str) -> None:
        raise TemplateError(message)

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.globals["raise_exception"] = raise_exception
    try:
        compiled = environment.from_string(template)
    except TemplateError as error:
        raise _template_error(error) from error

    def render(messages: Sequence[object], add_generation_prompt: bool) -> str:
        try:
            return compiled.render(messages=list(messages), add_generation_prompt=add_generation_prompt)
        except (TemplateError, SecurityError) as error:
            raise _template_error(error) from error

    return render


def _template_error(error: Exception) -> ArtifactError:
    return ArtifactError(
        "The chat template can't be rendered.",
        where=TEMPLATE_FILE,
        why=error,
        next_step="Check the roles and the order of the messages against the template.",
    )
