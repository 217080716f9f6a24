"""Which tokens a smaller vocabulary keeps: what the data uses, and what any other text falls back on.

A kept token brings along the two that it is merged from, and so on down to single symbols. So the merges that
are left spell every kept token the way all of them did, and a text whose tokens are all kept is cut into the
very same ones; any other text falls into smaller pieces and is still written without loss.
Works on token ids and the tokenizer's JSON. Does not know models or samples.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from jinja2 import Environment
from tokenizers.pre_tokenizers import ByteLevel

from attar.runtime.errors import UsageError
from attar.runtime.text import ChatTokenizer

__all__ = ["Merges", "kept_tokens", "spellings"]

_SPACE = "▁"  # what stands for a space where bytes are a fallback
_BYTES = [f"<0x{value:02X}>" for value in range(256)]
_ROLES = ("system", "user", "assistant", "tool")
_KEEP_ALL = "Set distillation.student_vocabulary to null, which keeps all tokens."


def kept_tokens(
    tokenizer: ChatTokenizer, used: Mapping[int, int], size: int | None = None, *, needed: Iterable[int] = ()
) -> list[int]:
    """Ids of the tokens to keep, ascending.

    Always kept: added tokens, every byte, the single ASCII characters, and the template's own text. Then the
    data's tokens, the most used first. Then, where ``size`` leaves room, the others in the order of their ids,
    which is about that of their frequency in what the tokenizer was trained on.

    Args:
        tokenizer: The whole vocabulary.
        used: How often the data uses each token.
        size: How many tokens to keep at most; by default those of the data and no others.
        needed: Other ids to keep whatever happens, such as those that a model's config names.

    Raises:
        UsageError: The tokenizer is no BPE that can write any byte, or what is always kept is more than ``size``.
    """
    merges = Merges(tokenizer)
    kept = merges.closed([*merges.always(), *needed, *_template_tokens(tokenizer)])
    if size is None:
        return sorted(kept | merges.closed(used))
    if len(kept) > size:
        raise UsageError(
            f"A vocabulary of {size} tokens is too small.",
            why=f"Special tokens, bytes and the chat template's words alone are {len(kept)}.",
            next_step=f'Set distillation.student_vocabulary to at least {len(kept)}, or to "data".',
        )
    by_use = sorted(used, key=lambda token: (-used[token], token))
    for token in [*by_use, *sorted(merges.texts)]:
        missing = set() if token in kept else merges.closed([token]) - kept
        if len(kept) + len(missing) <= size:
            kept |= missing
    return sorted(kept)


class Merges:
    """The merges of a BPE tokenizer, and what each token is made of.

    Args:
        tokenizer: See :func:`kept_tokens`.

    Attributes:
        texts: The spelling of each token by its id.

    Raises:
        UsageError: It is no BPE, or one that can't write every byte.
    """

    def __init__(self, tokenizer: ChatTokenizer) -> None:
        value: dict[str, Any] = json.loads(tokenizer.to_json())
        _require_lossless(value)
        self._ids = spellings(value)
        self._unknown = value["model"].get("unk_token")
        self._added = [token["id"] for token in value["added_tokens"]] + list(_placed(value.get("post_processor")))
        self._ranks = {tuple(pair): rank for rank, pair in enumerate(value["model"]["merges"])}
        self._parts: dict[int, list[int]] = {}
        self.texts = {index: text for text, index in self._ids.items()}

    def always(self) -> list[int]:
        """Tokens without which some text, or some role in a chat, could not be written."""
        # Bytes in both ways to spell them: a GGUF's byte-level BPE says that it falls back on bytes, too.
        symbols = [*ByteLevel.alphabet(), *_BYTES, *map(chr, range(128)), _SPACE, self._unknown]
        return self._added + [self._ids[text] for text in symbols if text in self._ids]

    def closed(self, tokens: Iterable[int]) -> set[int]:
        """These tokens and all that they are merged from."""
        found: set[int] = set()
        waiting = list(tokens)
        while waiting:
            token = waiting.pop()
            if token not in found:
                found.add(token)
                waiting.extend(self._parts_of(token))
        return found

    def _parts_of(self, token: int) -> list[int]:
        if token not in self._parts:
            self._parts[token] = [self._ids[part] for part in self._last_merge(self.texts[token])]
        return self._parts[token]

    def _last_merge(self, text: str) -> tuple[str, ...]:
        """The two that a token is merged from; none for a single symbol, or where no merges lead to it.

        BPE always takes the pair of lowest rank. Within a token it takes the same pairs whatever stands around it,
        since none crosses its ends: so this is how it comes about in any text.
        """
        symbols = list(text)
        last: tuple[str, ...] = ()
        while len(symbols) > 1:
            place, last = min(
                enumerate(pairwise(symbols)), key=lambda found: self._ranks.get(found[1], len(self._ranks))
            )
            if last not in self._ranks:
                return ()
            symbols[place : place + 2] = ["".join(last)]
        return last


def spellings(value: Mapping[str, Any]) -> dict[str, int]:
    """Every token's id by its spelling, added tokens included, from a tokenizer's JSON."""
    return {**value["model"]["vocab"], **{token["content"]: token["id"] for token in value["added_tokens"]}}


def _require_lossless(value: Mapping[str, Any]) -> None:
    model = value["model"]
    if model["type"] != "BPE":
        raise UsageError(
            f"The vocabulary of a {model['type']} tokenizer can't be trimmed.",
            why="Only BPE says what a token is made of.",
            next_step=_KEEP_ALL,
        )
    if model.get("continuing_subword_prefix") or model.get("end_of_word_suffix"):
        raise UsageError(
            "The vocabulary can't be trimmed: its tokens are marked as beginnings or ends of words.",
            next_step=_KEEP_ALL,
        )
    byte_level = "ByteLevel" in json.dumps([value.get("pre_tokenizer"), value.get("normalizer")])
    if not byte_level and not model.get("byte_fallback"):
        raise UsageError(
            "The vocabulary can't be trimmed: without the dropped tokens some text could not be written.",
            why="The tokenizer neither works on bytes nor falls back on them.",
            next_step=_KEEP_ALL,
        )


def _placed(processor: Any) -> Iterator[int]:
    """Ids that a post-processor puts around a text."""
    if isinstance(processor, dict):
        yield from processor.get("ids", ())
        yield from (processor[name][1] for name in ("sep", "cls") if name in processor)
    for item in processor.values() if isinstance(processor, dict) else processor if isinstance(processor, list) else ():
        yield from _placed(item)


def _template_tokens(tokenizer: ChatTokenizer) -> Iterator[int]:
    """Tokens of the text that the template itself writes, and of the roles that it is given."""
    for text in (*_ROLES, *_literals(tokenizer.template)):
        yield from tokenizer.encode(text)


def _literals(template: str) -> Sequence[str]:
    """What stands in a jinja2 template as text, or as a string in its code."""
    found = [(kind, value) for _, kind, value in Environment().lex(template) if kind in ("data", "string")]
    return [value if kind == "data" else str(ast.literal_eval(value.replace("\n", "\\n"))) for kind, value in found]
